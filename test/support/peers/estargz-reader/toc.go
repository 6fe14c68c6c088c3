package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/containerd/stargz-snapshotter/estargz"
	"github.com/containerd/stargz-snapshotter/estargz/externaltoc"
	"github.com/containerd/stargz-snapshotter/estargz/zstdchunked"
	"github.com/opencontainers/go-digest"
)

// readTOC opens a layer by its table of contents, verifies the digest of the table, and reads every file chunk by chunk,
// verifying the digest of each chunk. externalTOC is the path of a table outside the layer.
func readTOC(file, tocDigest string, externalTOC ...string) (layer, map[string]entry, error) {
	f, err := os.Open(file)
	if err != nil {
		return layer{}, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return layer{}, nil, err
	}
	decompressors := []estargz.Decompressor{new(zstdchunked.Decompressor)}
	if len(externalTOC) > 0 {
		provide := func() ([]byte, error) { return os.ReadFile(externalTOC[0]) }
		decompressors = append(decompressors, externaltoc.NewGzipDecompressor(provide))
	}
	opened, err := estargz.Open(io.NewSectionReader(f, 0, info.Size()), estargz.WithDecompressors(decompressors...))
	if err != nil {
		return layer{}, nil, err
	}
	r := &reader{Reader: opened, entries: map[string]entry{}}
	if err := r.verify(digest.Digest(tocDigest)); err != nil {
		return layer{}, nil, err
	}
	properties := layer{TOCDigest: opened.TOCDigest().String()}
	for _, name := range []string{estargz.PrefetchLandmark, estargz.NoPrefetchLandmark} {
		if landmark, ok := opened.Lookup(name); ok {
			if properties.Landmark != "" {
				return layer{}, nil, fmt.Errorf("the layer has both %s and %s", properties.Landmark, name)
			}
			properties.Landmark, properties.LandmarkOffset = name, landmark.Offset
		}
	}
	root, ok := opened.Lookup("")
	if !ok {
		return layer{}, nil, fmt.Errorf("the layer has no root directory")
	}
	return properties, r.entries, r.walk("", root)
}

type reader struct {
	*estargz.Reader
	verifier estargz.TOCEntryVerifier
	entries  map[string]entry
}

// entryVerifier verifies a chunk with the digest in its own entry, as the snapshotter does. The verifier of the library
// looks digests up by the offset of the member, so it does not support members with several chunks.
type entryVerifier struct{}

func (entryVerifier) Verifier(e *estargz.TOCEntry) (digest.Verifier, error) {
	chunk, err := digest.Parse(e.ChunkDigest)
	if err != nil {
		return nil, err
	}
	return chunk.Verifier(), nil
}

func (r *reader) verify(tocDigest digest.Digest) error {
	verifier, err := r.VerifyTOC(tocDigest)
	if err == nil {
		r.verifier = verifier
		return nil
	}
	if r.TOCDigest() != tocDigest || !r.sharesMembers() {
		return err
	}
	r.verifier = entryVerifier{}
	return nil
}

// sharesMembers reports whether any member has more than one chunk.
func (r *reader) sharesMembers() bool {
	shares := false
	var visit func(*estargz.TOCEntry)
	visit = func(e *estargz.TOCEntry) {
		shares = shares || e.InnerOffset > 0
		e.ForeachChild(func(_ string, child *estargz.TOCEntry) bool {
			visit(child)
			return !shares
		})
	}
	if root, ok := r.Lookup(""); ok {
		visit(root)
	}
	return shares
}

func (r *reader) walk(name string, e *estargz.TOCEntry) error {
	result := entry{
		Name: name, Type: e.Type, Mode: e.Mode, UID: e.UID, GID: e.GID, ModTime: e.ModTime().Unix(),
		Link: e.LinkName, Major: e.DevMajor, Minor: e.DevMinor, Xattrs: e.Xattrs, Size: e.Size,
	}
	// A table of contents cannot express the Unix time 0. Directories without an entry, which the library creates, have no
	// time either.
	hasNoTime := e.ModTime().IsZero()
	if hasNoTime {
		result.ModTime = 0
	}
	if e.Type == "reg" {
		var err error
		if result.SHA256, result.Chunks, err = r.readFile(e); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if !hasNoTime || e.Type != "dir" {
		r.entries[name] = result
	}
	var err error
	e.ForeachChild(func(base string, child *estargz.TOCEntry) bool {
		err = r.walk(path.Join(name, base), child)
		return err == nil
	})
	return err
}

// readFile reads a file chunk by chunk, then in one read. It returns the digest of the file and its number of chunks.
func (r *reader) readFile(e *estargz.TOCEntry) (string, int, error) {
	// The library passes the other chunks of a shared member to r.check, so that a cache could store them.
	content, err := r.OpenFileWithPreReader(e.Name, r.check)
	if err != nil {
		return "", 0, err
	}
	hash := sha256.New()
	chunks := 0
	for offset := int64(0); offset < e.Size; chunks++ {
		chunk, ok := r.ChunkEntryForOffset(e.Name, offset)
		if !ok || chunk.ChunkOffset != offset || chunk.ChunkSize <= 0 {
			return "", 0, fmt.Errorf("no chunk starts at offset %d", offset)
		}
		// In a single call, as each call opens the member again.
		part := make([]byte, chunk.ChunkSize)
		if _, err := content.ReadAt(part, chunk.ChunkOffset); err != nil {
			return "", 0, err
		}
		if err := r.check(chunk, bytes.NewReader(part)); err != nil {
			return "", 0, err
		}
		hash.Write(part)
		offset += chunk.ChunkSize
	}
	sum := fmt.Sprintf("%x", hash.Sum(nil))
	file, err := r.OpenFile(e.Name)
	if err != nil {
		return "", 0, err
	}
	complete := make([]byte, e.Size)
	if _, err := file.ReadAt(complete, 0); err != nil && e.Size > 0 {
		return "", 0, err
	}
	if completeSum := fmt.Sprintf("%x", sha256.Sum256(complete)); completeSum != sum {
		return "", 0, fmt.Errorf("the chunks have the digest %s, a single read has %s", sum, completeSum)
	}
	if e.Digest != "" && e.Digest != "sha256:"+sum {
		return "", 0, fmt.Errorf("the file has the digest %s, but the table of contents has %s", sum, e.Digest)
	}
	return sum, chunks, nil
}

func (r *reader) check(chunk *estargz.TOCEntry, content io.Reader) error {
	verifier, err := r.verifier.Verifier(chunk)
	if err != nil {
		return err
	}
	n, err := io.Copy(verifier, content)
	if err != nil {
		return err
	}
	if n != chunk.ChunkSize || !verifier.Verified() {
		return fmt.Errorf("the chunk of %s at offset %d does not match its digest", chunk.Name, chunk.ChunkOffset)
	}
	return nil
}
