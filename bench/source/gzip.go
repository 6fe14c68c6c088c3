// Compresses standard input as docker and buildkit compress layers: compress/gzip at its default level.
package main

import (
	"compress/gzip"
	"io"
	"log"
	"os"
)

func main() {
	compressor := gzip.NewWriter(os.Stdout)
	if _, err := io.Copy(compressor, os.Stdin); err != nil {
		log.Fatal(err)
	}
	if err := compressor.Close(); err != nil {
		log.Fatal(err)
	}
}
