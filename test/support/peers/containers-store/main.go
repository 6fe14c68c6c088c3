// Command containers-store pulls one layer as podman and CRI-O do: by containers/storage, into a store of its own with the
// overlay driver. Needs root. It prints an object.
//
//	containers-store FOLDER BLOB ANNOTATIONS [OPTION...]
//
// FOLDER is empty, ANNOTATIONS are an object in JSON, and an OPTION is one of storage.conf's pull_options that is set to true.
// Where the layer cannot be pulled in parts, the object says why, and the layer is pulled whole if that is allowed.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	digest "github.com/opencontainers/go-digest"
	"go.podman.io/storage"
	"go.podman.io/storage/pkg/chunked"
	"go.podman.io/storage/pkg/reexec"
	"go.podman.io/storage/types"
)

// pulled is what came of a layer. Refused: why it is not pulled in parts; Whole: whether it was pulled whole instead.
type pulled struct {
	Refused string  `json:"refused,omitempty"`
	Whole   bool    `json:"whole"`
	Fetched uint64  `json:"fetched"`
	DiffID  string  `json:"diffId,omitempty"`
	Entries []entry `json:"entries,omitempty"`
}

func main() {
	// Unpacking is done by this program, started once more.
	if reexec.Init() {
		return
	}
	result, err := run(os.Args[1:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(result)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) (*pulled, error) {
	if len(args) < 3 {
		return nil, errors.New("usage: containers-store FOLDER BLOB ANNOTATIONS [OPTION...]")
	}
	folder, path := args[0], args[1]
	var annotations map[string]string
	if err := json.Unmarshal([]byte(args[2]), &annotations); err != nil {
		return nil, err
	}
	options := map[string]string{}
	for _, name := range args[3:] {
		options[name] = "true"
	}
	store, err := storage.GetStore(types.StoreOptions{
		RunRoot:         filepath.Join(folder, "run"),
		GraphRoot:       filepath.Join(folder, "graph"),
		GraphDriverName: "overlay",
		PullOptions:     options,
	})
	if err != nil {
		return nil, err
	}
	defer store.Shutdown(true)
	return pull(store, path, annotations)
}

func pull(store storage.Store, path string, annotations map[string]string) (*pulled, error) {
	blob, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer blob.Close()
	info, err := blob.Stat()
	if err != nil {
		return nil, err
	}
	blobDigest, err := digest.FromReader(blob)
	if err != nil {
		return nil, err
	}
	ranges := &blobRanges{blob: blob}
	differ, err := chunked.NewDiffer(context.Background(), store, blobDigest, info.Size(), annotations, ranges)
	if err != nil {
		result := &pulled{Refused: err.Error()}
		var fallback chunked.ErrFallbackToOrdinaryLayerDownload
		if !errors.As(err, &fallback) {
			return result, nil
		}
		result.Whole = true
		return result, pullWhole(store, blob, result)
	}
	defer differ.Close()
	output, err := store.PrepareStagedLayer(nil, differ)
	if err != nil {
		return &pulled{Refused: err.Error()}, nil
	}
	defer store.CleanupStagedLayer(output)
	entries, err := entriesOf(output.Target)
	return &pulled{Fetched: ranges.fetched, DiffID: string(output.UncompressedDigest), Entries: entries}, err
}

func pullWhole(store storage.Store, blob *os.File, result *pulled) error {
	if _, err := blob.Seek(0, io.SeekStart); err != nil {
		return err
	}
	layer, _, err := store.PutLayer("", "", nil, "", false, nil, blob)
	if err != nil {
		return err
	}
	result.DiffID = string(layer.UncompressedDigest)
	result.Entries, err = entriesOf(filepath.Join(store.GraphRoot(), "overlay", layer.ID, "diff"))
	return err
}

// blobRanges is a blob as a registry gives it.
type blobRanges struct {
	blob    *os.File
	fetched uint64
}

func (r *blobRanges) GetBlobAt(chunks []chunked.ImageSourceChunk) (chan io.ReadCloser, chan error, error) {
	streams := make(chan io.ReadCloser)
	failures := make(chan error)
	for _, chunk := range chunks {
		r.fetched += chunk.Length
	}
	go func() {
		defer close(failures)
		defer close(streams)
		for _, chunk := range chunks {
			streams <- io.NopCloser(io.NewSectionReader(r.blob, int64(chunk.Offset), int64(chunk.Length)))
		}
	}()
	return streams, failures, nil
}
