// Command estargz-reader reads layers by the libraries that clients of registries read them by, and lists what it
// sees there: a JSON object a line, the first one of the layer, the others of its paths by their names.
//
//	estargz-reader tar LAYER              by archive/tar, from front to end
//	estargz-reader toc LAYER DIGEST [TOC] by stargz-snapshotter's library, from the table of contents
//
// With `each` it reads such lines (tar LAYER, toc LAYER DIGEST) from the standard input, and answers each by one line: an
// object with the layer and its entries, or with the error.
//
// It also packs the standard input as tools written in Go pack layers, into the standard output.
//
//	estargz-reader pack gzip|pgzip LEVEL
//
// It ends with status 1 and the reason where a reader would refuse the layer.
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
	case len(args) == 1 && args[0] == "each":
		return each()
	default:
		told, entries, err = read(args)
	}
	if err != nil {
		return err
	}
	names := sortedNames(entries)
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

func read(args []string) (layer, map[string]entry, error) {
	switch {
	case len(args) == 2 && args[0] == "tar":
		return readTar(args[1])
	case (len(args) == 3 || len(args) == 4) && args[0] == "toc":
		return readTOC(args[1], args[2], args[3:]...)
	default:
		return layer{}, nil, fmt.Errorf("usage: estargz-reader tar LAYER | toc LAYER DIGEST [TOC] | each | pack gzip|pgzip LEVEL")
	}
}

// answer is what is told of one line of `each`.
type answer struct {
	Error   string  `json:"error,omitempty"`
	Layer   layer   `json:"layer"`
	Entries []entry `json:"entries"`
}

func each() error {
	questions := bufio.NewScanner(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	for questions.Scan() {
		told, entries, err := read(strings.Fields(questions.Text()))
		said := answer{Layer: told, Entries: []entry{}}
		if err != nil {
			said.Error = err.Error()
		}
		for _, name := range sortedNames(entries) {
			said.Entries = append(said.Entries, entries[name])
		}
		if err := answers.Encode(said); err != nil {
			return err
		}
	}
	return questions.Err()
}

func sortedNames(entries map[string]entry) []string {
	names := make([]string, 0, len(entries))
	for name := range entries {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
