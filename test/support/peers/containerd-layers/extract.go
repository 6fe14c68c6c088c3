package main

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/containerd/containerd/v2/pkg/archive"
	"github.com/containerd/continuity/sysx"
	"golang.org/x/sys/unix"
)

const opaqueXattr = "trusted.overlay.opaque"

// extract extracts each layer into a folder of its own, with the folders of the lower layers as its parents.
func extract(folder string, layers []string) ([]entry, error) {
	var entries []entry
	var parents []string
	for i, layer := range layers {
		root := filepath.Join(folder, strconv.Itoa(i))
		if err := os.Mkdir(root, 0o755); err != nil {
			return nil, err
		}
		if err := apply(root, layer, parents); err != nil {
			return nil, err
		}
		parents = append([]string{root}, parents...)
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			pathEntries, err := readPath(root, path)
			if err != nil {
				return err
			}
			for _, e := range pathEntries {
				e.Layer = i
				entries = append(entries, e)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return entries, nil
}

func apply(root, layer string, parents []string) error {
	f, err := os.Open(layer)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = archive.Apply(context.Background(), root, f,
		archive.WithParents(parents), archive.WithConvertWhiteout(archive.OverlayConvertWhiteout))
	return err
}

// readPath returns the entries that a layer has for a path: the path, and its whiteout or opaque marker.
func readPath(root, path string) ([]entry, error) {
	var stat unix.Stat_t
	if err := unix.Lstat(path, &stat); err != nil {
		return nil, err
	}
	name := strings.TrimPrefix(strings.TrimPrefix(path, root), "/")
	major, minor := int(unix.Major(stat.Rdev)), int(unix.Minor(stat.Rdev))
	kind := stat.Mode & syscall.S_IFMT
	if kind == syscall.S_IFCHR && major == 0 && minor == 0 {
		return []entry{{Name: filepath.Join(filepath.Dir(name), ".wh."+filepath.Base(name))}}, nil
	}
	e := entry{
		Name: name, Mode: stat.Mode, UID: int(stat.Uid), GID: int(stat.Gid), Time: stat.Mtim.Sec,
		Major: major, Minor: minor,
	}
	if kind == syscall.S_IFREG {
		e.Size = stat.Size
	}
	if kind == syscall.S_IFLNK {
		link, err := os.Readlink(path)
		if err != nil {
			return nil, err
		}
		e.Link = link
	}
	entries := []entry{}
	keys, err := sysx.LListxattr(path)
	if err != nil && err != unix.ENOTSUP {
		return nil, err
	}
	for _, key := range keys {
		if key == opaqueXattr {
			entries = append(entries, entry{Name: filepath.Join(name, ".wh..wh..opq")})
			continue
		}
		value, err := sysx.LGetxattr(path, key)
		if err != nil {
			return nil, err
		}
		if e.Xattrs == nil {
			e.Xattrs = map[string][]byte{}
		}
		e.Xattrs[key] = value
	}
	return append(entries, e), nil
}
