const ID = '[^/]+'

/**
 * Where container runtimes lay the root file system of a container, as tools on the host see it: docker (overlay2 and its
 * image store of containerd), containerd's snapshotters (also below k3s and buildkit) and its runtime bundles, podman and
 * CRI-O, and any of them through a process.
 */
const ROOTS = new RegExp(
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
 * The root of a container that a path of the host lies in; undefined where it lies in none that is known.
 * @param path without a leading slash
 */
export function hostRootOf(path: string): string | undefined {
  return ROOTS.exec(path)?.[0]
}
