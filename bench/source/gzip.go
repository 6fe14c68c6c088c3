// Packs standard input as docker and buildkit pack layers: compress/gzip at its default level.
package main

import (
	"compress/gzip"
	"io"
	"log"
	"os"
)

func main() {
	packed := gzip.NewWriter(os.Stdout)
	if _, err := io.Copy(packed, os.Stdin); err != nil {
		log.Fatal(err)
	}
	if err := packed.Close(); err != nil {
		log.Fatal(err)
	}
}
