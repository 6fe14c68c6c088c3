// Command lazy-mount shows the root of an eStargz image as containers see it that are started before their image is
// pulled. It mounts each layer by the file system of stargz-snapshotter, and lays an overlay of the layers over a disk in
// memory that takes what is written.
//
// The first line of the standard input is an object, which says what is mounted and where:
//
//	{"reference":"HOST/NAME:TAG","layers":[{"digest":"sha256:…","annotations":{…}}],"folder":"/empty/folder"}
//
// The layers stand in the order of the manifest. When all that a record prioritized is there, the program prints one line,
// {"event":"ready","root":"/empty/folder/root"}. It unmounts everything when the standard input ends, or on SIGTERM or
// SIGINT, and removes the folder. It does the same when it fails, and then ends with status 1 and the reason.
//
// It starts no other program: the fork would wait for pages of that program which this process itself has to serve.
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

// image is what is asked for.
type image struct {
	Reference string  `json:"reference"`
	Layers    []layer `json:"layers"`
	Folder    string  `json:"folder"`
}

// layer is a descriptor of the manifest.
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

func run(in io.Reader, out io.Writer) (failed error) {
	// Signals are taken before there is anything to unmount.
	wanted, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := log.SetLevel("warn"); err != nil {
		return err
	}
	lines := bufio.NewReader(in)
	question, err := lines.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("the standard input names no image: %w", err)
	}
	var asked image
	if err := json.Unmarshal(question, &asked); err != nil {
		return err
	}
	go func() {
		defer stop()
		_, _ = io.Copy(io.Discard, lines)
	}()

	var mounted mounts
	defer func() { failed = errors.Join(failed, mounted.undo()) }()
	root, err := mounted.image(wanted, asked)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(out).Encode(event{Event: "ready", Root: root}); err != nil {
		return err
	}
	<-wanted.Done()
	return nil
}
