package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	digest "github.com/opencontainers/go-digest"
	"golang.org/x/sys/unix"
)

// entry is a path with its attributes. Inode is the first path with the same inode.
type entry struct {
	Name   string            `json:"name"`
	Mode   uint32            `json:"mode"`
	UID    uint32            `json:"uid"`
	GID    uint32            `json:"gid"`
	Time   int64             `json:"time"`
	Device uint64            `json:"device,omitempty"`
	Link   string            `json:"link,omitempty"`
	Inode  string            `json:"inode,omitempty"`
	Digest string            `json:"digest,omitempty"`
	Xattrs map[string][]byte `json:"xattrs,omitempty"`
}

// readEntries reads all paths in a folder, sorted.
func readEntries(folder string) ([]entry, error) {
	var entries []entry
	firstPaths := map[uint64]string{}
	err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || path == folder {
			return err
		}
		e, err := readEntry(path, strings.TrimPrefix(path, folder+"/"), firstPaths)
		if err == nil {
			entries = append(entries, *e)
		}
		return err
	})
	return entries, err
}

func readEntry(path, name string, firstPaths map[uint64]string) (*entry, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	stat, isUnix := info.Sys().(*syscall.Stat_t)
	if !isUnix {
		return nil, fmt.Errorf("%s: the platform does not report Unix file attributes", path)
	}
	e := &entry{Name: name, Mode: stat.Mode, UID: stat.Uid, GID: stat.Gid, Time: stat.Mtim.Nano()}
	switch info.Mode().Type() {
	case os.ModeSymlink:
		e.Link, err = os.Readlink(path)
	case os.ModeDevice, os.ModeDevice | os.ModeCharDevice:
		e.Device = stat.Rdev
	case 0:
		if _, exists := firstPaths[stat.Ino]; !exists {
			firstPaths[stat.Ino] = name
		}
		e.Inode = firstPaths[stat.Ino]
		e.Digest, err = digestFile(path)
	}
	if err != nil {
		return nil, err
	}
	e.Xattrs, err = readXattrs(path)
	return e, err
}

func digestFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum, err := digest.FromReader(file)
	return string(sum), err
}

func readXattrs(path string) (map[string][]byte, error) {
	buffer := make([]byte, 64<<10)
	length, err := unix.Llistxattr(path, buffer)
	if err != nil || length == 0 {
		return nil, err
	}
	names := strings.Split(strings.TrimSuffix(string(buffer[:length]), "\x00"), "\x00")
	slices.Sort(names)
	xattrs := map[string][]byte{}
	for _, name := range names {
		value := make([]byte, 64<<10)
		length, err := unix.Lgetxattr(path, name, value)
		if err != nil {
			return nil, err
		}
		xattrs[name] = value[:length]
	}
	return xattrs, nil
}
