//go:build !linux

package localserver

import "syscall"

// platform has nothing to add: a child outlives a killed parent here.
func (o owner) platform(*syscall.SysProcAttr, syscall.Signal) {}
