package localserver

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Numbers of linux/capability.h.
const (
	capDacOverride   = 1
	capDacReadSearch = 2
)

func (o owner) platform(attr *syscall.SysProcAttr, onParentDeath syscall.Signal) {
	attr.Pdeathsig = onParentDeath
	if !o.search {
		return
	}
	// A checkout below /root cannot be entered by the server's user. The right to
	// search directories is enough; a container may have only the wider one to give.
	held := capabilities()
	for _, c := range []uint{capDacReadSearch, capDacOverride} {
		if held&(1<<c) != 0 {
			attr.AmbientCaps = []uintptr{uintptr(c)}
			return
		}
	}
}

// capabilities are those we hold, as a bit set.
func capabilities() uint64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "CapPrm:"); ok {
			held, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
			if err != nil {
				return 0
			}
			return held
		}
	}
	return 0
}
