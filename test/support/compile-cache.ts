import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The processes that tests start share compiled sources; the folder goes when all tests are done. */
export default async function setup(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'record-broker-compiled-'))
  process.env.TEST_COMPILE_CACHE = folder
  return () => rm(folder, { recursive: true, force: true })
}
