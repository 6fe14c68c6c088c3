// Command layer-views shows layers as two kinds of clients have them: those that unpack them, by containerd's own package,
// and those that read them lazily, by the store of metadata that stargz-snapshotter has in memory. It prints an object a line for each path.
//
//	layer-views unpack FOLDER LAYER...          unpacks tar archives, lowest first, each into a folder of its own, with those
//	                                            below it as its parents, as the snapshotter for overlayfs has it done
//	layer-views read LAYER DIGEST [TOC]         opens an eStargz layer by the store, and reads all of its files ahead
//
// What overlayfs has marks for is told of by the names that layers have for it: whiteouts and opaque directories.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
)

// entry is what is told of a path.
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
	case len(args) >= 2 && args[0] == "unpack":
		return unpack(args[1], args[2:])
	case len(args) >= 3 && args[0] == "read":
		return readLazily(args[1], args[2], args[3:]...)
	}
	return nil, errors.New("usage: layer-views unpack FOLDER LAYER... | read LAYER DIGEST [TOC]")
}
