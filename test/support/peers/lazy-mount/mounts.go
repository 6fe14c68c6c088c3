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

// The labels with which a snapshotter names a layer to the file system.
const (
	referenceLabel = "containerd.io/snapshot/remote/stargz.reference"
	digestLabel    = "containerd.io/snapshot/remote/stargz.digest"
)

// settings are the defaults of the snapshotter, except for those that would make the number of requests vary.
var settings = config.Config{
	// Only what is read is fetched.
	NoBackgroundFetch: true,
	NoPrometheus:      true,
	// A cache on disk is written asynchronously, so prefetched content could be missing and fetched again.
	HTTPCacheType: "memory",
	FSCacheType:   "memory",
	// After this timeout, the file system continues without the content that is still missing.
	PrefetchTimeoutSec: 300,
}

// mounts has the steps that undo all mounts. They run in reverse order.
type mounts struct {
	steps []func() error
}

func (m *mounts) undo() error {
	var errs []error
	for _, step := range slices.Backward(m.steps) {
		errs = append(errs, step())
	}
	m.steps = nil
	return errors.Join(errs...)
}

// mountImage mounts all layers and the root on top of them, waits for the end of the prefetch, and returns the root.
func (m *mounts) mountImage(ctx context.Context, requested image) (string, error) {
	if _, err := m.createFolder("", requested.Folder); err != nil {
		return "", err
	}
	state, err := m.createFolder(requested.Folder, "state")
	if err != nil {
		return "", err
	}
	filesystem, err := fs.NewFilesystem(state, settings)
	if err != nil {
		return "", err
	}
	var names []string
	var checks []func() error
	for i, layer := range requested.Layers {
		name := strconv.Itoa(i)
		point, err := m.createFolder(requested.Folder, name)
		if err != nil {
			return "", err
		}
		labels := map[string]string{referenceLabel: requested.Reference, digestLabel: layer.Digest}
		maps.Copy(labels, layer.Annotations)
		if err := filesystem.Mount(ctx, point, labels); err != nil {
			return "", fmt.Errorf("layer %d: %w", i, err)
		}
		unmount := func() error { return filesystem.Unmount(context.Background(), point) }
		m.steps = append(m.steps, func() error { return detachOnError(point, unmount()) })
		names = append(names, name)
		checks = append(checks, func() error { return filesystem.Check(ctx, point, labels) })
	}
	root, err := m.mountOverlay(requested.Folder, names)
	if err != nil {
		return "", err
	}
	for i, check := range checks {
		if err := runCancellable(ctx, check); err != nil {
			return "", fmt.Errorf("layer %d: %w", i, err)
		}
	}
	return root, nil
}

// mountOverlay mounts a root that combines the folders of layers, the lowest first, with a tmpfs for what is written.
func (m *mounts) mountOverlay(folder string, layers []string) (string, error) {
	disk, err := m.createFolder(folder, "disk")
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
	root, err := m.createFolder(folder, "root")
	if err != nil {
		return "", err
	}
	// Mount options must fit into one page of memory. Paths relative to the working directory keep them short.
	if err := os.Chdir(folder); err != nil {
		return "", err
	}
	defer os.Chdir("/")
	lower := slices.Clone(layers)
	slices.Reverse(lower)
	options := "lowerdir=" + strings.Join(lower, ":") + ",upperdir=disk/upper,workdir=disk/work"
	return root, m.mount("overlay", root, options)
}

// createFolder creates a folder, or uses an existing empty one. The folder is removed when everything is undone.
func (m *mounts) createFolder(parent, name string) (string, error) {
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
	m.steps = append(m.steps, func() error { return detachOnError(point, unix.Unmount(point, 0)) })
	return nil
}

// detachOnError detaches a mount that could not be unmounted, as a process may still use it.
func detachOnError(point string, err error) error {
	if err == nil {
		return nil
	}
	return errors.Join(fmt.Errorf("unmounting %s: %w", point, err), unix.Unmount(point, unix.MNT_DETACH))
}

// runCancellable runs a function that does not support contexts, and returns early when the context is done.
func runCancellable(ctx context.Context, do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
