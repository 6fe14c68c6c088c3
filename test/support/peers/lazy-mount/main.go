// Command lazy-mount mounts the root of an eStargz image as containers see it when they start before their image is
// pulled. It mounts each layer with the file system of stargz-snapshotter, and combines the layers with overlayfs. A tmpfs
// stores what is written to the root.
//
// The first line of standard input is a JSON object with the image and an empty folder for the mounts:
//
//	{"reference":"HOST/NAME:TAG","layers":[{"digest":"sha256:…","annotations":{…}}],"folder":"/empty/folder"}
//
// The layers have the order of the manifest. When all prioritized files have been fetched, the program prints one line,
// {"event":"ready","root":"/empty/folder/root"}. At the end of standard input, and on SIGTERM or SIGINT, it unmounts
// everything and removes the folder. If it fails, it does the same, prints the error and exits with status 1.
//
// It starts no other program: a fork could wait for pages that this process itself has to serve.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/containerd/log"
)

// image is the image to mount.
type image struct {
	Reference string  `json:"reference"`
	Layers    []layer `json:"layers"`
	Folder    string  `json:"folder"`
}

// layer is a layer descriptor of the manifest.
type layer struct {
	Digest      string            `json:"digest"`
	Annotations map[string]string `json:"annotations"`
}

type event struct {
	Event string `json:"event"`
	Root  string `json:"root"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) (err error) {
	// Signals are handled before anything is mounted.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := log.SetLevel("warn"); err != nil {
		return err
	}
	lines := bufio.NewReader(in)
	request, err := lines.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("reading the image from standard input: %w", err)
	}
	var requested image
	if err := json.Unmarshal(request, &requested); err != nil {
		return err
	}
	go func() {
		defer stop()
		_, _ = io.Copy(io.Discard, lines)
	}()

	var mounted mounts
	defer func() { err = errors.Join(err, mounted.undo()) }()
	root, err := mounted.mountImage(ctx, requested)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(out).Encode(event{Event: "ready", Root: root}); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}
