// Command estargz-reader reads layers with the libraries that registry clients use, and lists their content: one JSON
// object per line, the first for the layer, the others for its paths, sorted by name.
//
//	estargz-reader tar LAYER              sequentially, with archive/tar
//	estargz-reader toc LAYER DIGEST [TOC] by the table of contents, with the library of stargz-snapshotter
//
// `estargz-reader serve` reads requests (tar LAYER, toc LAYER DIGEST) from standard input, one per line, and responds to
// each with one line: an object with the layer and its entries, or with the error.
//
// The command also compresses standard input to standard output as tools written in Go compress layers:
//
//	estargz-reader compress gzip|pgzip LEVEL
//
// It exits with status 1 and prints the error if a library rejects the layer.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// entry is a path of a layer. A hard link has the attributes of its target.
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

// layer has the properties of a layer as a whole.
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
	switch {
	case len(args) == 3 && args[0] == "compress":
		level, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		return compress(args[1], level)
	case len(args) == 1 && args[0] == "serve":
		return serve()
	}
	properties, entries, err := read(args)
	if err != nil {
		return err
	}
	names := sortedNames(entries)
	lines := json.NewEncoder(os.Stdout)
	if err := lines.Encode(properties); err != nil {
		return err
	}
	for _, name := range names {
		if err := lines.Encode(entries[name]); err != nil {
			return err
		}
	}
	return nil
}

func read(args []string) (layer, map[string]entry, error) {
	switch {
	case len(args) == 2 && args[0] == "tar":
		return readTar(args[1])
	case (len(args) == 3 || len(args) == 4) && args[0] == "toc":
		return readTOC(args[1], args[2], args[3:]...)
	default:
		return layer{}, nil, fmt.Errorf("usage: estargz-reader tar LAYER | toc LAYER DIGEST [TOC] | serve | compress gzip|pgzip LEVEL")
	}
}

// response is the response to one request of `serve`.
type response struct {
	Error   string  `json:"error,omitempty"`
	Layer   layer   `json:"layer"`
	Entries []entry `json:"entries"`
}

func serve() error {
	requests := bufio.NewScanner(os.Stdin)
	responses := json.NewEncoder(os.Stdout)
	for requests.Scan() {
		properties, entries, err := read(strings.Fields(requests.Text()))
		result := response{Layer: properties, Entries: []entry{}}
		if err != nil {
			result.Error = err.Error()
		}
		for _, name := range sortedNames(entries) {
			result.Entries = append(result.Entries, entries[name])
		}
		if err := responses.Encode(result); err != nil {
			return err
		}
	}
	return requests.Err()
}

func sortedNames(entries map[string]entry) []string {
	names := make([]string, 0, len(entries))
	for name := range entries {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
