package main

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/pgzip"
)

// compress compresses standard input as tools written in Go compress layers: with the standard library (docker, buildkit)
// or with pgzip (podman, buildah, skopeo, umoci).
func compress(library string, level int) error {
	out := bufio.NewWriter(os.Stdout)
	var compressor io.WriteCloser
	var err error
	switch library {
	case "gzip":
		compressor, err = gzip.NewWriterLevel(out, level)
	case "pgzip":
		compressor, err = pgzip.NewWriterLevel(out, level)
	default:
		err = fmt.Errorf("unknown library %q: expected gzip or pgzip", library)
	}
	if err != nil {
		return err
	}
	if _, err := io.Copy(compressor, os.Stdin); err != nil {
		return err
	}
	if err := compressor.Close(); err != nil {
		return err
	}
	return out.Flush()
}
