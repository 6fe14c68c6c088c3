// Command containerd-layers reads layers as the two kinds of snapshotters do: it extracts them with the archive package of
// containerd, or reads them lazily with the in-memory metadata store of stargz-snapshotter. It prints a JSON object per
// path, one per line.
//
//	containerd-layers extract FOLDER LAYER...   extracts tar archives, lowest first, each into a folder of its own, with
//	                                            the lower ones as its parents, as for the overlayfs snapshotter
//	containerd-layers read LAYER DIGEST [TOC]   opens an eStargz layer with the metadata store, and prefetches all files
//
// Whiteouts and opaque directories of overlayfs are printed under the names that they have in layers.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
)

// entry is a path of a layer. A whiteout has only a layer and a name.
type entry struct {
	Layer  int               `json:"layer"`
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
}

func main() {
	entries, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	slices.SortFunc(entries, func(a, b entry) int {
		if a.Layer != b.Layer {
			return a.Layer - b.Layer
		}
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	lines := json.NewEncoder(os.Stdout)
	for _, e := range entries {
		if err := lines.Encode(e); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func run(args []string) ([]entry, error) {
	switch {
	case len(args) >= 2 && args[0] == "extract":
		return extract(args[1], args[2:])
	case len(args) >= 3 && args[0] == "read":
		return readLazily(args[1], args[2], args[3:]...)
	}
	return nil, errors.New("usage: containerd-layers extract FOLDER LAYER... | read LAYER DIGEST [TOC]")
}
