const ID = '[^/]+'

/**
 * Paths of container root file systems on a host: docker (overlay2 and the containerd image store),
 * containerd's snapshotters (also of k3s and buildkit) and runtime bundles, podman and CRI-O, and any
 * container through /proc.
 */
const CONTAINER_ROOT = new RegExp(
  `^(?:${[
    `(?:${ID}/)*docker/(?:\\d+\\.\\d+/)?overlay2/${ID}/(?:merged|diff)`,
    `(?:${ID}/)*docker/rootfs/overlayfs/${ID}`,
    `(?:${ID}/)*docker/(?:vfs/dir|aufs/mnt|btrfs/subvolumes|zfs/graph)/${ID}`,
    `(?:${ID}/)*io\\.containerd\\.snapshotter\\.v1\\.${ID}/snapshots/${ID}/fs`,
    `(?:${ID}/)*snapshots/snapshots/${ID}/fs`,
    `(?:${ID}/)*io\\.containerd\\.runtime\\.v\\d\\.${ID}/${ID}/${ID}/rootfs`,
    `(?:${ID}/)*containers/storage/overlay/${ID}/(?:merged|diff)`,
    `(?:${ID}/)*containers/storage/vfs/dir/${ID}`,
    `(?:${ID}/)*buildkit/(?:${ID}/)?executor/${ID}/rootfs`,
    `proc/\\d+/root`,
  ].join('|')})(?=/|$)`,
)

/**
 * Returns the container root that contains a path of the host; undefined if no known root contains it.
 * @param path without a leading slash
 */
export function hostRootOf(path: string): string | undefined {
  return CONTAINER_ROOT.exec(path)?.[0]
}
