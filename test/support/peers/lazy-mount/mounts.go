package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/stargz-snapshotter/fs"
	"github.com/containerd/stargz-snapshotter/fs/config"
	"golang.org/x/sys/unix"
)

// The labels by which a snapshotter tells the file system which layer it wants.
const (
	referenceLabel = "containerd.io/snapshot/remote/stargz.reference"
	digestLabel    = "containerd.io/snapshot/remote/stargz.digest"
)

// settings leave the reader as hosts run it, but for what a count of requests must not depend on.
var settings = config.Config{
	// Nothing is fetched that nobody reads.
	NoBackgroundFetch: true,
	NoPrometheus:      true,
	// A cache on disk is written behind the reader's back: what was prefetched could be missed, and fetched again.
	HTTPCacheType: "memory",
	FSCacheType:   "memory",
	// After its end the reader goes on without what is still missing.
	PrefetchTimeoutSec: 300,
}

// mounts are what has to be undone, the last one first.
type mounts struct {
	steps []func() error
}

func (m *mounts) undo() error {
	var failed []error
	for _, step := range slices.Backward(m.steps) {
		failed = append(failed, step())
	}
	m.steps = nil
	return errors.Join(failed...)
}

// image mounts all layers and the root over them, waits until everything is prefetched, and answers the root. It gives up
// when nobody wants it any more.
func (m *mounts) image(wanted context.Context, of image) (string, error) {
	if _, err := m.folder("", of.Folder); err != nil {
		return "", err
	}
	state, err := m.folder(of.Folder, "state")
	if err != nil {
		return "", err
	}
	reader, err := fs.NewFilesystem(state, settings)
	if err != nil {
		return "", err
	}
	var names []string
	var checks []func() error
	for i, layer := range of.Layers {
		name := strconv.Itoa(i)
		point, err := m.folder(of.Folder, name)
		if err != nil {
			return "", err
		}
		labels := map[string]string{referenceLabel: of.Reference, digestLabel: layer.Digest}
		maps.Copy(labels, layer.Annotations)
		if err := reader.Mount(wanted, point, labels); err != nil {
			return "", fmt.Errorf("layer %d: %w", i, err)
		}
		unmount := func() error { return reader.Unmount(context.Background(), point) }
		m.steps = append(m.steps, func() error { return orHide(point, unmount()) })
		names = append(names, name)
		checks = append(checks, func() error { return reader.Check(wanted, point, labels) })
	}
	root, err := m.overlay(of.Folder, names)
	if err != nil {
		return "", err
	}
	for i, check := range checks {
		if err := unlessDone(wanted, check); err != nil {
			return "", fmt.Errorf("layer %d: %w", i, err)
		}
	}
	return root, nil
}

// overlay lays a root over folders of layers, the lowest one first, and a disk in memory for what is written.
func (m *mounts) overlay(folder string, layers []string) (string, error) {
	disk, err := m.folder(folder, "disk")
	if err != nil {
		return "", err
	}
	if err := m.mount("tmpfs", disk, "mode=0755"); err != nil {
		return "", err
	}
	for _, name := range []string{"upper", "work"} {
		if err := os.Mkdir(filepath.Join(disk, name), 0o755); err != nil {
			return "", err
		}
	}
	root, err := m.folder(folder, "root")
	if err != nil {
		return "", err
	}
	// Options have to fit into one page of memory: the names of layers are short where the folder is the working one.
	if err := os.Chdir(folder); err != nil {
		return "", err
	}
	defer os.Chdir("/")
	lower := slices.Clone(layers)
	slices.Reverse(lower)
	options := "lowerdir=" + strings.Join(lower, ":") + ",upperdir=disk/upper,workdir=disk/work"
	return root, m.mount("overlay", root, options)
}

// folder makes a folder, or takes an empty one, that is removed when what was mounted there is unmounted.
func (m *mounts) folder(parent, name string) (string, error) {
	path := filepath.Join(parent, name)
	if err := os.MkdirAll(path, 0o755); err != nil {
		return "", err
	}
	m.steps = append(m.steps, func() error { return os.Remove(path) })
	return path, nil
}

func (m *mounts) mount(kind, point, options string) error {
	if err := unix.Mount(kind, point, kind, 0, options); err != nil {
		return fmt.Errorf("%s at %s: %w", kind, point, err)
	}
	m.steps = append(m.steps, func() error { return orHide(point, unix.Unmount(point, 0)) })
	return nil
}

// orHide takes a mount out of sight that could not be unmounted: some process may still be in it.
func orHide(point string, failed error) error {
	if failed == nil {
		return nil
	}
	return errors.Join(fmt.Errorf("unmounting %s: %w", point, failed), unix.Unmount(point, unix.MNT_DETACH))
}

// unlessDone does what heeds no context itself.
func unlessDone(ctx context.Context, do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
