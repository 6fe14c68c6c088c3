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

// readTOC opens a layer by its table of contents, verifies that against its digest, and reads every file of it
// by chunks, each against its own digest. externalTOC names the file of a table that is not in the layer.
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
	told := layer{TOCDigest: opened.TOCDigest().String()}
	for _, name := range []string{estargz.PrefetchLandmark, estargz.NoPrefetchLandmark} {
		if landmark, ok := opened.Lookup(name); ok {
			if told.Landmark != "" {
				return layer{}, nil, fmt.Errorf("both %s and %s", told.Landmark, name)
			}
			told.Landmark, told.LandmarkOffset = name, landmark.Offset
		}
	}
	root, ok := opened.Lookup("")
	if !ok {
		return layer{}, nil, fmt.Errorf("no root")
	}
	return told, r.entries, r.walk("", root)
}

type reader struct {
	*estargz.Reader
	verifier estargz.TOCEntryVerifier
	entries  map[string]entry
}

// entryVerifier verifies by what an entry says of itself. The library's own map is by the offset of members,
// so it has no room for two chunks in one; the snapshotter goes by entries, too.
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

// sharesMembers tells whether some member holds more than one chunk.
func (r *reader) sharesMembers() bool {
	found := false
	var look func(*estargz.TOCEntry)
	look = func(e *estargz.TOCEntry) {
		found = found || e.InnerOffset > 0
		e.ForeachChild(func(_ string, child *estargz.TOCEntry) bool {
			look(child)
			return !found
		})
	}
	if root, ok := r.Lookup(""); ok {
		look(root)
	}
	return found
}

func (r *reader) walk(name string, e *estargz.TOCEntry) error {
	told := entry{
		Name: name, Type: e.Type, Mode: e.Mode, UID: e.UID, GID: e.GID, ModTime: e.ModTime().Unix(),
		Link: e.LinkName, Major: e.DevMajor, Minor: e.DevMinor, Xattrs: e.Xattrs, Size: e.Size,
	}
	// The table of contents has no time for the beginning of 1970, and the reader makes folders that no entry names.
	untimed := e.ModTime().IsZero()
	if untimed {
		told.ModTime = 0
	}
	if e.Type == "reg" {
		var err error
		if told.SHA256, told.Chunks, err = r.readFile(e); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if !untimed || e.Type != "dir" {
		r.entries[name] = told
	}
	var failed error
	e.ForeachChild(func(base string, child *estargz.TOCEntry) bool {
		failed = r.walk(path.Join(name, base), child)
		return failed == nil
	})
	return failed
}

// readFile reads a file by chunks, then at once, and answers its digest and in how many chunks it came.
func (r *reader) readFile(e *estargz.TOCEntry) (string, int, error) {
	// What else lies in a member is handed over on the way to the file, for a cache: it is verified as well.
	content, err := r.OpenFileWithPreReader(e.Name, r.check)
	if err != nil {
		return "", 0, err
	}
	hash := sha256.New()
	chunks := 0
	for at := int64(0); at < e.Size; chunks++ {
		chunk, ok := r.ChunkEntryForOffset(e.Name, at)
		if !ok || chunk.ChunkOffset != at || chunk.ChunkSize <= 0 {
			return "", 0, fmt.Errorf("no chunk begins at %d", at)
		}
		// In one call: each one opens the member anew.
		part := make([]byte, chunk.ChunkSize)
		if _, err := content.ReadAt(part, chunk.ChunkOffset); err != nil {
			return "", 0, err
		}
		if err := r.check(chunk, bytes.NewReader(part)); err != nil {
			return "", 0, err
		}
		hash.Write(part)
		at += chunk.ChunkSize
	}
	sum := fmt.Sprintf("%x", hash.Sum(nil))
	plain, err := r.OpenFile(e.Name)
	if err != nil {
		return "", 0, err
	}
	atOnce := make([]byte, e.Size)
	if _, err := plain.ReadAt(atOnce, 0); err != nil && e.Size > 0 {
		return "", 0, err
	}
	if again := fmt.Sprintf("%x", sha256.Sum256(atOnce)); again != sum {
		return "", 0, fmt.Errorf("read by chunks it is %s, read at once %s", sum, again)
	}
	if e.Digest != "" && e.Digest != "sha256:"+sum {
		return "", 0, fmt.Errorf("is %s, the table of contents says %s", sum, e.Digest)
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
		return fmt.Errorf("the chunk of %s at %d is not what its digest says", chunk.Name, chunk.ChunkOffset)
	}
	return nil
}
