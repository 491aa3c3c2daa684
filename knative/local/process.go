package main

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// program is how a process is started: what a container of a manifest comes down to on one machine.
type program struct {
	name   string // of the Service, Deployment or source it belongs to
	path   string // the binary
	args   []string
	env    []string // all of it: nothing but the path of programs and the home are inherited
	output *os.File // stdout and stderr
}

// process is a running program.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // how it ended, once done is closed; nil for status 0
}

// starts runs functions on one thread of the operating system that lives as long as the runtime. Linux sends the
// parent-death signal when the thread that started a child ends, and Go ends threads as it likes.
var starts = sync.OnceValue(func() chan<- func() {
	calls := make(chan func())
	go func() {
		runtime.LockOSThread()
		for call := range calls {
			call()
		}
	}()
	return calls
})

// start runs the program, with extra added to its environment.
func (p *program) start(extra ...string) (*process, error) {
	cmd := exec.Command(p.path, p.args...)
	for _, inherited := range []string{"PATH", "HOME", "TMPDIR"} {
		if value, set := os.LookupEnv(inherited); set {
			cmd.Env = append(cmd.Env, inherited+"="+value)
		}
	}
	cmd.Env = append(append(cmd.Env, p.env...), extra...)
	cmd.Stdout, cmd.Stderr = p.output, p.output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for the runtime, which stops its children in order
	dieWithParent(cmd.SysProcAttr)

	started := make(chan error)
	starts() <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return nil, err
	}
	child := &process{cmd: cmd, done: make(chan struct{})}
	go func() {
		child.err = cmd.Wait()
		close(child.done)
	}()
	return child, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// stop asks the process to end, and ends it when it has not within grace. It returns once the process is gone.
func (p *process) stop(grace time.Duration) {
	// A process that has ended already cannot be signalled: nothing to report.
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(grace):
		p.kill()
		<-p.done
	}
}

func (p *process) kill() { _ = p.cmd.Process.Kill() }

// exit is how the process ended, in words.
func (p *process) exit() error {
	if p.err == nil {
		return errors.New("exit status 0")
	}
	return p.err
}
