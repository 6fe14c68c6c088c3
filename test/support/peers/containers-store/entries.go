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

// entry is what is told of a path. Inode is the first path that shares its file.
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

// entriesOf reads all that is in a folder, sorted by path.
func entriesOf(folder string) ([]entry, error) {
	var entries []entry
	first := map[uint64]string{}
	err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || path == folder {
			return err
		}
		e, err := entryAt(path, strings.TrimPrefix(path, folder+"/"), first)
		if err == nil {
			entries = append(entries, *e)
		}
		return err
	})
	return entries, err
}

func entryAt(path, name string, first map[uint64]string) (*entry, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	stat, isUnix := info.Sys().(*syscall.Stat_t)
	if !isUnix {
		return nil, fmt.Errorf("%s has no status of Unix", path)
	}
	e := &entry{Name: name, Mode: stat.Mode, UID: stat.Uid, GID: stat.Gid, Time: stat.Mtim.Nano()}
	switch info.Mode().Type() {
	case os.ModeSymlink:
		e.Link, err = os.Readlink(path)
	case os.ModeDevice, os.ModeDevice | os.ModeCharDevice:
		e.Device = stat.Rdev
	case 0:
		if _, isKnown := first[stat.Ino]; !isKnown {
			first[stat.Ino] = name
		}
		e.Inode = first[stat.Ino]
		e.Digest, err = digestOf(path)
	}
	if err != nil {
		return nil, err
	}
	e.Xattrs, err = xattrsOf(path)
	return e, err
}

func digestOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum, err := digest.FromReader(file)
	return string(sum), err
}

func xattrsOf(path string) (map[string][]byte, error) {
	names := make([]byte, 64<<10)
	length, err := unix.Llistxattr(path, names)
	if err != nil || length == 0 {
		return nil, err
	}
	found := strings.Split(strings.TrimSuffix(string(names[:length]), "\x00"), "\x00")
	slices.Sort(found)
	xattrs := map[string][]byte{}
	for _, name := range found {
		value := make([]byte, 64<<10)
		length, err := unix.Lgetxattr(path, name, value)
		if err != nil {
			return nil, err
		}
		xattrs[name] = value[:length]
	}
	return xattrs, nil
}
