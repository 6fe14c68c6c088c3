// Package filemode converts the modes of Go's files for programs that print layers.
package filemode

import (
	"os"
	"syscall"
)

// System converts a mode to the encoding of stat(2).
func System(mode os.FileMode) uint32 {
	bits := uint32(mode.Perm())
	for flag, bit := range map[os.FileMode]uint32{
		os.ModeSetuid: syscall.S_ISUID,
		os.ModeSetgid: syscall.S_ISGID,
		os.ModeSticky: syscall.S_ISVTX,
	} {
		if mode&flag != 0 {
			bits |= bit
		}
	}
	switch {
	case mode.IsDir():
		return bits | syscall.S_IFDIR
	case mode&os.ModeSymlink != 0:
		return bits | syscall.S_IFLNK
	case mode&os.ModeCharDevice != 0:
		return bits | syscall.S_IFCHR
	case mode&os.ModeDevice != 0:
		return bits | syscall.S_IFBLK
	case mode&os.ModeNamedPipe != 0:
		return bits | syscall.S_IFIFO
	}
	return bits | syscall.S_IFREG
}
