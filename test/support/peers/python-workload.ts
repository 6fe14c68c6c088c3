import { createReadStream } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { readRecord } from '../../../src/records/formats/read-record.ts'
import type { RecordEntry } from '../../../src/records/model.ts'
import type { Repository } from '../../../src/registry/repository.ts'
import { type DebianImage, buildDebianImage } from './debian-image.ts'
import { pushImage } from '../images/push-image.ts'

/** What ran while the profiles in test/fixtures were captured, and the part of its environment that files are read for. */
export const PYTHON_COMMAND = [
  '/usr/bin/python3',
  '-c',
  'import json,http.server,numpy; print(numpy.arange(3))',
]
export const PYTHON_ENVIRONMENT = { LANG: 'C.UTF-8' }

/** What a profile in test/fixtures says. */
export async function readProfile(name: string): Promise<RecordEntry[]> {
  const { entries } = await readRecord(createReadStream(`test/fixtures/profiles/${name}`), { maxBytes: 1e6 })
  return entries
}

/**
 * Pushes the image that the profiles were captured in, as `1`. Answers undefined where it cannot be had: the captures name
 * libraries of another architecture, or there are no packages to download; with CI=true the latter is a failure.
 */
export async function pushDebianImage(repository: Repository): Promise<DebianImage | undefined> {
  if (process.arch !== 'x64') return undefined
  const debian = await buildDebianImage().catch((error: Error) => {
    if (process.env.CI === 'true') throw error
    process.stderr.write(`no Debian packages, so that their tests are skipped: ${error.message}\n`)
    return undefined
  })
  const pack = (tar: Buffer) => gzipSync(tar, { level: 1 })
  if (debian) await pushImage(repository, { layers: debian.layers.map((tar) => ({ tar, pack })) }, '1')
  return debian
}
