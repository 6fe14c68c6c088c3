import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync } from 'node:fs'
import { userInfo } from 'node:os'
import { delimiter, join } from 'node:path'
import { describe } from 'vitest'
import { canMountDisks } from '../small-disk.ts'

/** Programs that the project did not write and that tests hold its output against. */
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
  'strace',
  'gzip',
  'zstd',
  'go',
  // The right to mount a disk in memory.
  'tmpfs',
  // The right to serve a file system.
  '/dev/fuse',
] as const
export type Peer = (typeof PEERS)[number]

/** The path of a program on PATH, or undefined. */
export function findProgram(program: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path))
}

const DEBIAN_POSTGRES = '/usr/lib/postgresql'

/** The folder of PostgreSQL's server programs, which Debian keeps off the PATH; undefined when not installed. */
export function findPostgresPrograms(): string | undefined {
  if (!existsSync(DEBIAN_POSTGRES)) return undefined
  const version = readdirSync(DEBIAN_POSTGRES).sort((a, b) => Number(b) - Number(a))[0]
  const folder = join(DEBIAN_POSTGRES, version ?? '', 'bin')
  return existsSync(join(folder, 'initdb')) ? folder : undefined
}

/** The least minor version of Go 1 that go.mod files of the programs that tests build name. */
const MIN_GO = 26

/** Whether there is a Go that is new enough; older ones would have to download another first. */
function hasGo(): boolean {
  const env = { ...process.env, GOTOOLCHAIN: 'local' }
  const { stdout } = spawnSync('go', ['version'], { env, encoding: 'utf8' })
  const [, major = 0, minor = 0] = (/go(\d+)\.(\d+)/.exec(stdout ?? '') ?? []).map(Number)
  return major > 1 || (major === 1 && minor >= MIN_GO)
}

/** Whether this process may mount what another one serves. Containers may have the device and not the right to open it. */
function hasFuse(): boolean {
  if (userInfo().uid !== 0 || !canMountDisks()) return false
  try {
    closeSync(openSync('/dev/fuse', 'r+'))
    return true
  } catch {
    return false
  }
}

/** Whether this machine has a peer. Debian keeps PostgreSQL's server programs off the PATH. */
function isAvailable(peer: Peer): boolean {
  if (peer === 'go') return hasGo()
  if (peer === 'tmpfs') return canMountDisks()
  if (peer === '/dev/fuse') return hasFuse()
  return (peer === 'postgres' ? findPostgresPrograms() : findProgram(peer)) !== undefined
}

/** Peers that nobody can install: machines have them, or not. */
const OF_THE_MACHINE: readonly Peer[] = ['/dev/fuse']

/** Peers that this machine lacks. */
export function listMissingPeers(): Peer[] {
  return PEERS.filter((peer) => !isAvailable(peer))
}

/**
 * `describe` for tests that need peers. Without them the tests are skipped, and the run's summary names
 * the missing programs; with CI=true they run, and fail, so that a missing peer cannot pass unseen. What only another
 * machine could have is no failure anywhere.
 */
export function describeWithPeers(peers: readonly Peer[], name: string, body: () => void): void {
  const missing = peers.filter((peer) => !isAvailable(peer))
  if (missing.length === 0) describe(name, body)
  else if (process.env.CI === 'true' && !missing.some((peer) => OF_THE_MACHINE.includes(peer)))
    describe(`${name} (missing: ${missing.join(', ')})`, body)
  else describe.skip(`${name} (missing: ${missing.join(', ')})`, body)
}
