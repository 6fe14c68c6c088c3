/** Names of programs that only start another program. */
const WRAPPERS: ReadonlySet<string> = new Set([
  'bwrap',
  'chroot',
  'conmon',
  'containerd-shim',
  'containerd-shim-runc-v2',
  'crun',
  'docker',
  'docker-init',
  'fatrace',
  'gosu',
  'ltrace',
  'nerdctl',
  'nsenter',
  'podman',
  'proot',
  'runc',
  'setpriv',
  'strace',
  'su',
  'su-exec',
  'sudo',
  'systemd-nspawn',
  'unshare',
])
const SHELLS: ReadonlySet<string> = new Set(['ash', 'bash', 'busybox', 'dash', 'ksh', 'sh', 'zsh'])

/** Whether the last part of a path is the name of a program that only starts another program. */
export function isWrapperName(path: string): boolean {
  return WRAPPERS.has(baseName(path))
}

/**
 * Whether a program is a shell with a command in its arguments, such as `sh -c`.
 * @param args as strace prints them
 */
export function isShellCommand(path: string, args: string): boolean {
  return SHELLS.has(baseName(path)) && /^\[?"[^"]*", "-[a-z]*c"/.test(args)
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
