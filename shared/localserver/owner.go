package localserver

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// owner is the user a server runs as: ourselves, or somebody less when we are
// root.
type owner struct {
	other    bool // not ourselves
	uid, gid int  // when other
	search   bool // cannot reach the server's directory without help
}

// ownerFor picks the first user that exists when we are root.
func ownerFor(dir string, names ...string) (owner, error) {
	if os.Getuid() != 0 {
		return owner{}, nil
	}
	for _, name := range names {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errU := strconv.Atoi(u.Uid)
		gid, errG := strconv.Atoi(u.Gid)
		if errU != nil || errG != nil {
			continue
		}
		abs, err := filepath.Abs(dir)
		if err != nil {
			return owner{}, fmt.Errorf("localserver: %w", err)
		}
		return owner{uid: uid, gid: gid, other: true, search: !open(filepath.Dir(abs))}, nil
	}
	return owner{}, fmt.Errorf("localserver: root needs one of the users %v to run a server as", names)
}

// open reports whether everybody may pass through dir and its parents.
func open(dir string) bool {
	for {
		if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o001 == 0 {
			return false
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return true
		}
		dir = parent
	}
}

// give hands a file or directory to the owner.
func (o owner) give(path string) error {
	if !o.other {
		return nil
	}
	if err := os.Chown(path, o.uid, o.gid); err != nil {
		return fmt.Errorf("localserver: %w", err)
	}
	return nil
}

// attributes of a child of ours that runs as the owner.
func (o owner) attributes(onParentDeath syscall.Signal) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if o.other {
		attr.Credential = &syscall.Credential{Uid: uint32(o.uid), Gid: uint32(o.gid)}
	}
	o.platform(attr, onParentDeath)
	return attr
}
