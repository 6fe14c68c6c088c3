import { setTimeout as delay } from 'node:timers/promises'
import type { Repository } from '../../src/registry/repository.ts'
import * as images from '../../test/support/images/hostile-images.ts'
import { COSTLY_GLOBS, manyGlobs } from './globs.ts'
import { type BrokerResponse, type HostileBench, TAG } from './hostile-bench.ts'

type PushImage = (repository: Repository) => Promise<void>

export type HostileCase = {
  /** Pushes the source images of the case by name. Cases with the same names share images. */
  readonly images?: Readonly<Record<string, PushImage>>
  readonly settings?: Record<string, string>
  /** Runs before the measurement. Its result is passed to `run`. */
  readonly prepare?: (bench: HostileBench) => Promise<unknown>
  /** Runs the measured requests, and describes their result in a few words. */
  readonly run: (bench: HostileBench, prepared: never) => Promise<string>
}

const FEW_FILES = { files20k: (repository: Repository) => images.pushFiles(repository, TAG, 20_000) }
const MANY_FILES = { files300k: (repository: Repository) => images.pushFiles(repository, TAG, 300_000) }

const responseText = ({ status, body }: BrokerResponse) => `${status} ${body.code ?? body.state ?? ''}`.trim()
const jobText = ({ body }: BrokerResponse) =>
  `${body.state} ${(body.error as { code?: string } | undefined)?.code ?? ''}`

const inspection = (name: string, push: PushImage): HostileCase => ({
  images: { [name]: push },
  run: async (bench) => responseText(await bench.request('GET', `/v1/images/${bench.image(name)}`)),
})
const conversion = (name: string, push: PushImage): HostileCase => ({
  images: { [name]: push },
  run: async (bench) => jobText(await bench.waitForEnd(await bench.convert(name))),
})
const evaluation = (
  createGlobs: () => Promise<string>,
  pushed: Record<string, PushImage>,
  image: string,
): HostileCase => ({
  images: pushed,
  prepare: async (bench) => {
    // The first evaluation lists the layers, so that the second one measures only the globs.
    await bench.evaluate(await bench.uploadRecord('/usr/lib/python3\n'), image)
    return bench.uploadRecord(await createGlobs())
  },
  run: async (bench, record: string) => responseText(await bench.evaluate(record, image)),
})
const createRecord = (first: number, count: number) =>
  Array.from({ length: count }, (_, n) => `/usr/lib/x/file-${first + n}\n`).join('')

/** All cases by name. */
export const HOSTILE_CASES: Readonly<Record<string, HostileCase>> = {
  'a table of contents of 100,000 entries': inspection('toc100k', (repository) =>
    images.pushTocBomb(repository, TAG, 100_000),
  ),
  'a table of contents of 1,000,000 entries': inspection('toc1m', (repository) =>
    images.pushTocBomb(repository, TAG, 1_000_000),
  ),
  'a table of contents of 15,000,000 entries': inspection('toc15m', (repository) =>
    images.pushTocBomb(repository, TAG, 15_000_000),
  ),
  '200 ordinary globs': evaluation(async () => COSTLY_GLOBS.ordinary, FEW_FILES, 'files20k'),
  'five globs with many braces': evaluation(async () => COSTLY_GLOBS.braces, FEW_FILES, 'files20k'),
  'five globs with many ways to match': evaluation(async () => COSTLY_GLOBS.segments, FEW_FILES, 'files20k'),
  '1,000 globs over 300,000 files': evaluation(manyGlobs, MANY_FILES, 'files300k'),
  'the first evaluation in 300,000 files': {
    images: MANY_FILES,
    prepare: (bench) => bench.uploadRecord('/usr/lib/python3\n'),
    run: async (bench, record: string) => responseText(await bench.evaluate(record, 'files300k')),
  },
  '20 evaluations at once': {
    images: FEW_FILES,
    prepare: (bench) => bench.uploadRecord('/usr/**/*7.py\n'),
    run: async (bench, record: string) => {
      const responses = Array.from({ length: 20 }, () => bench.evaluate(record, 'files20k'))
      return [...new Set((await Promise.all(responses)).map(responseText))].join(', ')
    },
  },
  'a record of 16 MB': {
    run: async (bench) => responseText(await bench.request('POST', '/v1/records', createRecord(0, 499_999))),
  },
  'merging ten records of 100,000 paths': {
    prepare: async (bench) => {
      const ids: string[] = []
      for (let n = 0; n < 10; n++) ids.push(await bench.uploadRecord(createRecord(n * 1000, 100_000)))
      return ids
    },
    run: async (bench, records: string[]) =>
      responseText(await bench.request('POST', '/v1/records/merges', { records, strategy: 'union' })),
  },
  'comparing two records of 400,000 paths': {
    prepare: async (bench) => [
      await bench.uploadRecord(createRecord(0, 400_000)),
      await bench.uploadRecord(createRecord(200_000, 400_000)),
    ],
    run: async (bench, [a, b]: string[]) =>
      responseText(await bench.request('GET', `/v1/records/${a}/diff/${b}`)),
  },
  'a zstd layer with a window of 256 MiB': conversion('long28', (repository) =>
    images.pushLongWindow(repository, TAG),
  ),
  'a zstd layer with a wrong checksum': conversion('badsum', (repository) =>
    images.pushBadChecksum(repository, TAG),
  ),
  'a config nested 100,000 deep': inspection('deep', (repository) => images.pushDeepConfig(repository, TAG)),
  'an image of 10,000 layers': inspection('layers', (repository) =>
    images.pushManyLayers(repository, TAG, 10_000),
  ),
  'cancelling a busy conversion': {
    images: { large: (repository) => images.pushLargeFile(repository, TAG, 600) },
    settings: { RECORD_BROKER_THREADS: '1', RECORD_BROKER_CONCURRENCY: '2' },
    prepare: async (bench) => {
      const options = { compression: 'recompress', compressionLevel: 9 }
      const ids = [await bench.convert('large', { options }), await bench.convert('large', {})]
      const readState = async (id: string) => (await bench.request('GET', `/v1/conversions/${id}`)).body.state
      for (const id of ids) while ((await readState(id)) === 'queued') await delay(20)
      await delay(1000)
      return ids
    },
    // The second conversion waits for the only thread.
    run: async (bench, ids: string[]) => {
      const id = ids[1] ?? ''
      await bench.request('POST', `/v1/conversions/${id}/cancel`)
      return jobText(await bench.waitForEnd(id))
    },
  },
  'a rejected record of 100 MB': {
    run: (bench) => bench.sendRejectedUpload(),
  },
}
