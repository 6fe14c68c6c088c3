// Command database-store reads an eStargz layer with the metadata store of stargz-snapshotter that keeps its data in a database
// (metadata_store = "db"). It verifies the table of contents, reads every file, and prints a JSON object per path, one per line,
// sorted by path. It does not read ahead: with an entry of the root, the store takes the root for a directory inside itself, and
// reading ahead fails.
//
// Later versions have the store below their command, in a module that cannot be imported. Version 0.10.1 is the last that has it
// in the library.
//
//	database-store LAYER DIGEST
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	filemode "file-mode"

	"github.com/containerd/stargz-snapshotter/cache"
	"github.com/containerd/stargz-snapshotter/estargz/zstdchunked"
	"github.com/containerd/stargz-snapshotter/fs/reader"
	"github.com/containerd/stargz-snapshotter/metadata"
	"github.com/containerd/stargz-snapshotter/metadata/db"
	digest "github.com/opencontainers/go-digest"
	bolt "go.etcd.io/bbolt"
)

// entry is a path of the layer.
type entry struct {
	Name   string            `json:"name"`
	Mode   uint32            `json:"mode"`
	UID    int               `json:"uid"`
	GID    int               `json:"gid"`
	Time   int64             `json:"time"`
	Link   string            `json:"link,omitempty"`
	Major  int               `json:"major,omitempty"`
	Minor  int               `json:"minor,omitempty"`
	Size   int64             `json:"size"`
	Xattrs map[string][]byte `json:"xattrs,omitempty"`
	// Digest is that of a regular file's content.
	Digest string `json:"digest,omitempty"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: database-store LAYER DIGEST")
	}
	folder, err := os.MkdirTemp("", "database-store-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	entries, err := read(filepath.Join(folder, "metadata.db"), args[0], digest.Digest(args[1]))
	if err != nil {
		return err
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.Name, b.Name) })
	lines := json.NewEncoder(os.Stdout)
	for _, e := range entries {
		if err := lines.Encode(e); err != nil {
			return err
		}
	}
	return nil
}

func read(database, layer string, tocDigest digest.Digest) ([]entry, error) {
	store, err := bolt.Open(database, 0o600, nil)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	file, err := os.Open(layer)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	section := io.NewSectionReader(file, 0, info.Size())
	opened, err := db.NewReader(store, section, metadata.WithDecompressors(new(zstdchunked.Decompressor)))
	if err != nil {
		return nil, err
	}
	verifiable, err := reader.NewReader(opened, cache.NewMemoryCache(), tocDigest)
	if err != nil {
		return nil, err
	}
	if _, err := verifiable.VerifyTOC(tocDigest); err != nil {
		return nil, err
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
		xattrs[key] = slices.Clone(value)
	}
	content, err := contentDigest(from, id, attr)
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	*entries = append(*entries, entry{
		Name: name, Mode: filemode.System(attr.Mode), UID: attr.UID, GID: attr.GID, Time: attr.ModTime.Unix(),
		Link: strings.Clone(attr.LinkName), Major: attr.DevMajor, Minor: attr.DevMinor, Size: attr.Size, Xattrs: xattrs,
		Digest: content,
	})
	if !attr.Mode.IsDir() {
		return nil
	}
	children := map[string]uint32{}
	err = from.ForeachChild(id, func(base string, child uint32, _ os.FileMode) bool {
		children[strings.Clone(base)] = child
		return true
	})
	if err != nil {
		return err
	}
	for base, child := range children {
		// The store lists the entry of the root as a child of the root; the kernel provides this name itself.
		if child == id || base == "." || base == "" {
			continue
		}
		if err := list(from, entries, child, path.Join(name, base)); err != nil {
			return err
		}
	}
	return nil
}

func contentDigest(from metadata.Reader, id uint32, attr metadata.Attr) (string, error) {
	if !attr.Mode.IsRegular() || attr.Size == 0 {
		return "", nil
	}
	file, err := from.OpenFile(id)
	if err != nil {
		return "", err
	}
	content, err := digest.FromReader(io.NewSectionReader(file, 0, attr.Size))
	return content.String(), err
}
