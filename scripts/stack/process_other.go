//go:build !linux

package stack

import "syscall"

// endWithParent has nothing to add: a child outlives a killed parent here.
func endWithParent(*syscall.SysProcAttr) {}
