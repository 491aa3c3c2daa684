package stack

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// process is a program of ours that runs beside us, in a process group of its
// own: Ctrl-C in a terminal reaches us alone, and we choose the order in which
// things end.
type process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{} // closed once it has been waited for
}

// start runs a program whose output goes to <logs>/<name>.log; out, when it
// is not nil, gets its standard output instead. Its environment is ours and env.
func (s *Stack) start(out *os.File, env []string, name string, args ...string) (*process, error) {
	log, err := os.OpenFile(filepath.Join(s.Logs, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("stack: %w", err)
	}
	defer log.Close() // the child has its own
	p := &process{name: name, cmd: exec.Command(filepath.Join(s.bin, name), args...), done: make(chan struct{})}
	p.cmd.Dir = s.root
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if out != nil {
		p.cmd.Stdout = out
	}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	endWithParent(p.cmd.SysProcAttr)
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // whose end, not ours, is what the kernel takes for the parent's death
		err := p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait() // how it ended is in its log
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("stack: %w", err)
	}
	return p, nil
}

// stop asks the program to end, and ends it when it does not.
func (p *process) stop(patience time.Duration) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.done:
	case <-time.After(patience):
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
	}
}

// tail is the end of a log, for errors.
func (s *Stack) tail(name string) string {
	content, err := os.ReadFile(filepath.Join(s.Logs, name+".log"))
	if err != nil {
		return err.Error()
	}
	return string(content[max(0, len(content)-2000):])
}
