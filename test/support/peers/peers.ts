import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { describe } from 'vitest'
import { findProgram as findProgramIn } from '../../../src/cli/capture/child-programs.ts'
import { canMountDisks } from '../small-disk.ts'

/** Programs of other projects that tests compare the broker with, and rights that such tests need. */
const PEERS = [
  'docker-registry',
  'skopeo',
  'umoci',
  'ctr-remote',
  'containerd',
  'tar',
  'postgres',
  'apt-get',
  'dpkg-deb',
  'curl',
  'strace',
  'fatrace',
  'bwrap',
  'podman',
  'runc',
  'promtool',
  'gzip',
  'zstd',
  'zsh',
  'fish',
  'go',
  'chromium',
  // The right to mount a tmpfs.
  'tmpfs',
  // The right to serve a FUSE file system.
  '/dev/fuse',
] as const
export type Peer = (typeof PEERS)[number]

/** Returns the path of a program on PATH. */
export function findProgram(program: string): string | undefined {
  return findProgramIn(program, process.env.PATH ?? '')
}

const DEBIAN_POSTGRES = '/usr/lib/postgresql'

/** Returns the folder of PostgreSQL's server programs, which Debian does not put on the PATH. */
export function findPostgresPrograms(): string | undefined {
  if (!existsSync(DEBIAN_POSTGRES)) return undefined
  const version = readdirSync(DEBIAN_POSTGRES).sort((a, b) => Number(b) - Number(a))[0]
  const folder = join(DEBIAN_POSTGRES, version ?? '', 'bin')
  return existsSync(join(folder, 'initdb')) ? folder : undefined
}

/** The minimum minor version of Go 1 that the go.mod files below this folder require. */
const MIN_GO_MINOR = 26

/** Whether a sufficiently new Go is installed. An older Go would download another toolchain first. */
function hasGo(): boolean {
  const env = { ...process.env, GOTOOLCHAIN: 'local' }
  const { stdout } = spawnSync('go', ['version'], { env, encoding: 'utf8' })
  const [, major = 0, minor = 0] = (/go(\d+)\.(\d+)/.exec(stdout ?? '') ?? []).map(Number)
  return major > 1 || (major === 1 && minor >= MIN_GO_MINOR)
}

/** Whether this process may use FUSE. Containers may have the device without the right to open it. */
function hasFuse(): boolean {
  if (userInfo().uid !== 0 || !canMountDisks()) return false
  try {
    closeSync(openSync('/dev/fuse', 'r+'))
    return true
  } catch {
    return false
  }
}

/** Whether this machine has a peer. */
function isAvailable(peer: Peer): boolean {
  if (peer === 'go') return hasGo()
  if (peer === 'tmpfs') return canMountDisks()
  if (peer === '/dev/fuse') return hasFuse()
  return (peer === 'postgres' ? findPostgresPrograms() : findProgram(peer)) !== undefined
}

/** Peers that depend on the machine and cannot be installed. */
const NOT_INSTALLABLE: readonly Peer[] = ['/dev/fuse']

/** Returns the peers that this machine lacks. */
export function listMissingPeers(): Peer[] {
  return PEERS.filter((peer) => !isAvailable(peer))
}

/**
 * `describe` for tests that need peers. If a peer is missing, the tests are skipped and the summary of the
 * run lists the peer. With CI=true they run and fail instead, unless the peer cannot be installed.
 */
export function describeWithPeers(peers: readonly Peer[], name: string, body: () => void): void {
  const missing = peers.filter((peer) => !isAvailable(peer))
  if (missing.length === 0) describe(name, body)
  else if (process.env.CI === 'true' && !missing.some((peer) => NOT_INSTALLABLE.includes(peer)))
    describe(`${name} (missing: ${missing.join(', ')})`, body)
  else describe.skip(`${name} (missing: ${missing.join(', ')})`, body)
}
