package stack

import "syscall"

// endWithParent has the kernel ask the child to end when we are killed.
func endWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGTERM }
