import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * The processes and threads that tests start share compiled sources, as those of the product do: without that, starting
 * one costs four times as much. The folder goes when all tests are done.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'record-broker-compiled-'))
  // Test files run in processes that inherit it, and hand it on.
  process.env.NODE_COMPILE_CACHE = folder
  // The last processes may still write theirs there.
  return () => rm(folder, { recursive: true, force: true, maxRetries: 20 })
}
