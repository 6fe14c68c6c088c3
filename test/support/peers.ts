import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { describe } from 'vitest'

/** Programs that the project did not write and that tests hold its output against. */
const PEERS = ['docker-registry', 'skopeo', 'umoci', 'ctr-remote', 'containerd', 'tar'] as const
export type Peer = (typeof PEERS)[number]

/** The path of a program on PATH, or undefined. */
export function which(program: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path))
}

/** Peers that this machine lacks. */
export function missingPeers(): Peer[] {
  return PEERS.filter((peer) => which(peer) === undefined)
}

/**
 * `describe` for tests that need peers. Without them the tests are skipped, and the run's summary names
 * the missing programs; with CI=true they run, and fail, so that a missing peer cannot pass unseen.
 */
export function describeWith(peers: readonly Peer[], name: string, body: () => void): void {
  const missing = peers.filter((peer) => which(peer) === undefined)
  if (missing.length === 0) describe(name, body)
  else if (process.env.CI === 'true') describe(`${name} (missing: ${missing.join(', ')})`, body)
  else describe.skip(`${name} (missing: ${missing.join(', ')})`, body)
}
