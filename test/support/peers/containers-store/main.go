// Command containers-store pulls one layer as podman and CRI-O do: with containers/storage, into a new store with the
// overlay driver. Needs root. It prints the result as a JSON object.
//
//	containers-store FOLDER BLOB ANNOTATIONS [OPTION...]
//
// FOLDER is an empty folder for the store, ANNOTATIONS is a JSON object, and each OPTION is the name of a pull_options
// entry of storage.conf to set to true. If the layer cannot be pulled partially, the result has the error, and the
// complete layer is pulled if containers/storage allows it after that error.
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

// pulled is the result of pulling a layer.
type pulled struct {
	// PartialPullError is the reason why the layer could not be pulled partially.
	PartialPullError string `json:"partialPullError,omitempty"`
	// IsFullPull reports whether the complete layer was pulled instead.
	IsFullPull   bool    `json:"isFullPull"`
	FetchedBytes uint64  `json:"fetchedBytes"`
	DiffID       string  `json:"diffId,omitempty"`
	Entries      []entry `json:"entries,omitempty"`
}

func main() {
	// containers/storage starts this program again to extract layers.
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
		result := &pulled{PartialPullError: err.Error()}
		var fallback chunked.ErrFallbackToOrdinaryLayerDownload
		if !errors.As(err, &fallback) {
			return result, nil
		}
		result.IsFullPull = true
		return result, pullComplete(store, blob, result)
	}
	defer differ.Close()
	output, err := store.PrepareStagedLayer(nil, differ)
	if err != nil {
		return &pulled{PartialPullError: err.Error()}, nil
	}
	defer store.CleanupStagedLayer(output)
	entries, err := readEntries(output.Target)
	return &pulled{FetchedBytes: ranges.fetchedBytes, DiffID: string(output.UncompressedDigest), Entries: entries}, err
}

func pullComplete(store storage.Store, blob *os.File, result *pulled) error {
	if _, err := blob.Seek(0, io.SeekStart); err != nil {
		return err
	}
	layer, _, err := store.PutLayer("", "", nil, "", false, nil, blob)
	if err != nil {
		return err
	}
	result.DiffID = string(layer.UncompressedDigest)
	result.Entries, err = readEntries(filepath.Join(store.GraphRoot(), "overlay", layer.ID, "diff"))
	return err
}

// blobRanges serves ranges of a blob as a registry would.
type blobRanges struct {
	blob         *os.File
	fetchedBytes uint64
}

func (r *blobRanges) GetBlobAt(chunks []chunked.ImageSourceChunk) (chan io.ReadCloser, chan error, error) {
	streams := make(chan io.ReadCloser)
	failures := make(chan error)
	for _, chunk := range chunks {
		r.fetchedBytes += chunk.Length
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
