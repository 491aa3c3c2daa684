package main

import "syscall"

// dieWithParent has the kernel kill the child when the runtime dies without stopping it.
func dieWithParent(attributes *syscall.SysProcAttr) { attributes.Pdeathsig = syscall.SIGKILL }
