package main

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/pgzip"
)

// pack compresses the standard input as tools written in Go compress layers: by the standard library (docker, buildkit) or
// by pgzip (podman, buildah, skopeo, umoci).
func pack(packer string, level int) error {
	out := bufio.NewWriter(os.Stdout)
	var to io.WriteCloser
	var err error
	switch packer {
	case "gzip":
		to, err = gzip.NewWriterLevel(out, level)
	case "pgzip":
		to, err = pgzip.NewWriterLevel(out, level)
	default:
		err = fmt.Errorf("no packer is named %q", packer)
	}
	if err != nil {
		return err
	}
	if _, err := io.Copy(to, os.Stdin); err != nil {
		return err
	}
	if err := to.Close(); err != nil {
		return err
	}
	return out.Flush()
}
