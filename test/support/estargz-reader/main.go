// Command estargz-reader reads layers by the libraries that clients of registries read them by, and lists what it
// sees there: a JSON object a line, the first one of the layer, the others of its paths by their names.
//
//	estargz-reader tar LAYER              by archive/tar, from front to end
//	estargz-reader toc LAYER DIGEST [TOC] by stargz-snapshotter's library, from the table of contents
//
// It also packs the standard input as tools written in Go pack layers, into the standard output.
//
//	estargz-reader pack gzip|pgzip LEVEL
//
// It ends with status 1 and the reason where a reader would refuse the layer.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
)

// entry is what both ways of reading tell of a path. Hard links are told as the file that they name.
type entry struct {
	Name    string            `json:"name"`
	Type    string            `json:"type"`
	Mode    int64             `json:"mode"`
	UID     int               `json:"uid"`
	GID     int               `json:"gid"`
	ModTime int64             `json:"mtime"`
	Link    string            `json:"link,omitempty"`
	Major   int               `json:"major,omitempty"`
	Minor   int               `json:"minor,omitempty"`
	Xattrs  map[string][]byte `json:"xattrs,omitempty"`
	Size    int64             `json:"size"`
	SHA256  string            `json:"sha256,omitempty"`
	Chunks  int               `json:"chunks,omitempty"`
}

// layer is what is told of a layer as a whole.
type layer struct {
	DiffID         string `json:"diffId,omitempty"`
	TOCDigest      string `json:"tocDigest,omitempty"`
	Landmark       string `json:"landmark,omitempty"`
	LandmarkOffset int64  `json:"landmarkOffset,omitempty"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	var told layer
	var entries map[string]entry
	var err error
	switch {
	case len(args) == 3 && args[0] == "pack":
		level, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		return pack(args[1], level)
	case len(args) == 2 && args[0] == "tar":
		told, entries, err = readTar(args[1])
	case (len(args) == 3 || len(args) == 4) && args[0] == "toc":
		told, entries, err = readTOC(args[1], args[2], args[3:]...)
	default:
		return fmt.Errorf("usage: estargz-reader tar LAYER | toc LAYER DIGEST [TOC] | pack gzip|pgzip LEVEL")
	}
	if err != nil {
		return err
	}
	names := make([]string, 0, len(entries))
	for name := range entries {
		names = append(names, name)
	}
	slices.Sort(names)
	lines := json.NewEncoder(os.Stdout)
	if err := lines.Encode(told); err != nil {
		return err
	}
	for _, name := range names {
		if err := lines.Encode(entries[name]); err != nil {
			return err
		}
	}
	return nil
}
