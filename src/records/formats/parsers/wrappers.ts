/** Programs that do no more than start another one, by the last part of their path. */
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

/** Whether the name of a program says that it is there to start another one. */
export function isWrapperName(path: string): boolean {
  return WRAPPERS.has(nameOf(path))
}

/** Whether a command is a shell that was given a command of its own, as `sh -c` is. */
export function isShellCommand(path: string, args: string): boolean {
  return SHELLS.has(nameOf(path)) && /^\[?"[^"]*", "-[a-z]*c"/.test(args)
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
