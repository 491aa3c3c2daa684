//go:build !linux

package main

import "syscall"

// dieWithParent does nothing where the kernel offers nothing: after a kill -9 of the runtime its children stay.
func dieWithParent(*syscall.SysProcAttr) {}
