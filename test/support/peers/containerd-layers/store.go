package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	filemode "file-mode"

	"github.com/containerd/stargz-snapshotter/cache"
	"github.com/containerd/stargz-snapshotter/estargz/externaltoc"
	"github.com/containerd/stargz-snapshotter/estargz/zstdchunked"
	"github.com/containerd/stargz-snapshotter/fs/reader"
	"github.com/containerd/stargz-snapshotter/metadata"
	"github.com/containerd/stargz-snapshotter/metadata/memory"
	"github.com/opencontainers/go-digest"
)

// readLazily opens a layer with the in-memory metadata store, verifies its table of contents, and prefetches all files.
func readLazily(file, tocDigest string, externalTOC ...string) ([]entry, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	decompressors := []metadata.Decompressor{new(zstdchunked.Decompressor)}
	if len(externalTOC) > 0 {
		provide := func() ([]byte, error) { return os.ReadFile(externalTOC[0]) }
		decompressors = append(decompressors, externaltoc.NewGzipDecompressor(provide))
	}
	section := io.NewSectionReader(f, 0, info.Size())
	opened, err := memory.NewReader(section, metadata.WithDecompressors(decompressors...))
	if err != nil {
		return nil, err
	}
	verifiable, err := reader.NewReader(opened, cache.NewMemoryCache(), digest.Digest(tocDigest))
	if err != nil {
		return nil, err
	}
	if _, err := verifiable.VerifyTOC(digest.Digest(tocDigest)); err != nil {
		return nil, err
	}
	if err := verifiable.Cache(); err != nil {
		return nil, fmt.Errorf("prefetching: %w", err)
	}
	var entries []entry
	err = list(opened, &entries, opened.RootID(), "")
	return entries, err
}

func list(from metadata.Reader, entries *[]entry, id uint32, name string) error {
	attr, err := from.GetAttr(id)
	if err != nil {
		return err
	}
	// Values of the store are valid only until it is closed.
	var xattrs map[string][]byte
	for key, value := range attr.Xattrs {
		if xattrs == nil {
			xattrs = map[string][]byte{}
		}
		xattrs[key] = bytes.Clone(value)
	}
	*entries = append(*entries, entry{
		Name: name, Mode: filemode.System(attr.Mode), UID: attr.UID, GID: attr.GID, Time: attr.ModTime.Unix(),
		Link: strings.Clone(attr.LinkName), Major: attr.DevMajor, Minor: attr.DevMinor, Size: attr.Size, Xattrs: xattrs,
	})
	if !attr.Mode.IsDir() {
		return nil
	}
	var childErr error
	err = from.ForeachChild(id, func(base string, child uint32, _ os.FileMode) bool {
		// The kernel provides this name itself.
		if base == "." {
			return true
		}
		childErr = list(from, entries, child, path.Join(name, base))
		return childErr == nil
	})
	if err != nil {
		return err
	}
	return childErr
}
