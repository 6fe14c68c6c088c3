package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/klauspost/compress/zstd"
)

const xattrRecord = "SCHILY.xattr."

// typeNames maps type flags to the type names of a table of contents.
var typeNames = map[byte]string{
	tar.TypeReg:     "reg",
	tar.TypeDir:     "dir",
	tar.TypeSymlink: "symlink",
	tar.TypeChar:    "char",
	tar.TypeBlock:   "block",
	tar.TypeFifo:    "fifo",
}

// readTar reads a layer sequentially and detects its compression. The last entry of a name wins.
func readTar(file string) (layer, map[string]entry, error) {
	f, err := os.Open(file)
	if err != nil {
		return layer{}, nil, err
	}
	defer f.Close()
	uncompressed, err := decompress(bufio.NewReader(f))
	if err != nil {
		return layer{}, nil, err
	}
	hash := sha256.New()
	hashed := io.TeeReader(uncompressed, hash)
	entries := map[string]entry{}
	archive := tar.NewReader(hashed)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return layer{}, nil, err
		}
		if header.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		name := cleanName(header.Name)
		if header.Typeflag == tar.TypeLink {
			target, ok := entries[cleanName(header.Linkname)]
			if !ok {
				return layer{}, nil, fmt.Errorf("%s: the link's target %s is not before it", name, header.Linkname)
			}
			target.Name = name
			entries[name] = target
			continue
		}
		if entries[name], err = newEntry(name, header, archive); err != nil {
			return layer{}, nil, err
		}
	}
	if _, err := io.Copy(io.Discard, hashed); err != nil {
		return layer{}, nil, err
	}
	return layer{DiffID: fmt.Sprintf("sha256:%x", hash.Sum(nil))}, entries, nil
}

func newEntry(name string, header *tar.Header, content io.Reader) (entry, error) {
	kind, ok := typeNames[header.Typeflag]
	if !ok {
		return entry{}, fmt.Errorf("%s: type flag %q", name, header.Typeflag)
	}
	e := entry{
		Name: name, Type: kind, Mode: header.Mode, UID: header.Uid, GID: header.Gid,
		ModTime: header.ModTime.Unix(), Link: header.Linkname,
		Major: int(header.Devmajor), Minor: int(header.Devminor),
	}
	for key, value := range header.PAXRecords {
		if attribute, ok := strings.CutPrefix(key, xattrRecord); ok {
			if e.Xattrs == nil {
				e.Xattrs = map[string][]byte{}
			}
			e.Xattrs[attribute] = []byte(value)
		}
	}
	if kind == "reg" {
		hash := sha256.New()
		size, err := io.Copy(hash, content)
		if err != nil {
			return entry{}, fmt.Errorf("%s: %w", name, err)
		}
		e.Size, e.SHA256 = size, fmt.Sprintf("%x", hash.Sum(nil))
	}
	return e, nil
}

func decompress(compressed *bufio.Reader) (io.Reader, error) {
	magic, err := compressed.Peek(4)
	switch {
	case err != nil:
		return nil, err
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		return gzip.NewReader(compressed)
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return zstd.NewReader(compressed)
	default:
		return compressed, nil
	}
}

func cleanName(name string) string {
	return strings.TrimPrefix(path.Clean("/"+name), "/")
}
