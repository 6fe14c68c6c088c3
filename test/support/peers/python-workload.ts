import { createReadStream } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { readRecord } from '../../../src/records/formats/read-record.ts'
import type { RecordEntry } from '../../../src/records/model.ts'
import type { Repository } from '../../../src/registry/repository.ts'
import { pushImage } from '../images/push-image.ts'
import { buildDebianImage, type DebianImage } from './debian-image.ts'

/**
 * The command that ran while the profiles in test/fixtures were captured, and the environment that affects
 * its reads.
 */
export const PYTHON_COMMAND = [
  '/usr/bin/python3',
  '-c',
  'import json,http.server,numpy; print(numpy.arange(3))',
]
export const PYTHON_ENVIRONMENT = { LANG: 'C.UTF-8' }

/** Reads the entries of a profile in test/fixtures. */
export async function readProfile(name: string): Promise<RecordEntry[]> {
  const { entries } = await readRecord(createReadStream(`test/fixtures/profiles/${name}`), { maxBytes: 1e6 })
  return entries
}

/**
 * Pushes the image in which the profiles were captured, with the tag `1`. Returns undefined on architectures
 * other than x64, and if the packages cannot be downloaded. With CI=true, a failed download is an error.
 */
export async function pushDebianImage(repository: Repository): Promise<DebianImage | undefined> {
  if (process.arch !== 'x64') return undefined
  const debian = await buildDebianImage().catch((error: Error) => {
    if (process.env.CI === 'true') throw error
    process.stderr.write(
      `the Debian packages are not available, so their tests are skipped: ${error.message}\n`,
    )
    return undefined
  })
  const compress = (tar: Buffer) => gzipSync(tar, { level: 1 })
  if (debian) await pushImage(repository, { layers: debian.layers.map((tar) => ({ tar, compress })) }, '1')
  return debian
}
