import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ConversionBench } from '../../test/support/conversion-bench.ts'
import { buildTar, dir, file } from '../../test/support/images/build-tar.ts'
import { convertWithoutRecord } from '../../test/support/images/convert-layer.ts'
import { pushImage } from '../../test/support/images/push-image.ts'
import { digestOf } from '../oci/digest.ts'
import { ThreadPool } from './layers/thread-pool.ts'
import { runConversion } from './run.ts'

const noise = randomBytes(300_000)
const text = (i: number) => `${i} some words that come again ${i % 17}\n`.repeat(i * 60)
const layers = [0, 1, 2, 3].map((n) =>
  buildTar(
    dir(`d${n}`),
    ...Array.from({ length: 60 }, (_, i) => file(`d${n}/text-${i}`, text(i + n))),
    file(`d${n}/noise`, noise),
    file(`d${n}/large`, Buffer.concat([noise, Buffer.from(text(900)), noise])),
  ),
)

let bench: ConversionBench
beforeAll(async () => {
  bench = await ConversionBench.open()
  const compress = (tar: Buffer) => gzipSync(tar, { level: 4 })
  await pushImage(bench.repository('app'), { layers: layers.map((tar) => ({ tar, compress })) }, '1')
})
afterAll(() => bench[Symbol.asyncDispose]())

it('converts to the same digest with any number of threads, idle or busy', async () => {
  const record = { inline: [{ path: 'd2/text-9' }, { path: 'd0/large' }, { path: 'd3/noise' }] }
  for (const recordSource of [undefined, record]) {
    const digests = new Set<string>()
    for (const size of [1, 2, 5]) {
      await using threads = new ThreadPool(size)
      const services = { ...bench.services, threads }
      const reports = await Promise.all(
        ['a', 'b'].map((tag) =>
          runConversion(
            {
              source: `${bench.host}/app:1`,
              target: `${bench.host}/app:${tag}-${size}-${recordSource ? 'record' : 'plain'}`,
              ...(recordSource && { record: recordSource }),
            },
            services,
            { signal: new AbortController().signal },
          ),
        ),
      )
      for (const { digest } of reports) digests.add(digest)
    }
    expect(digests.size).toBe(1)
  }
})

it('converts to the same digest for any piece size of the download', async () => {
  const [layer = Buffer.alloc(0)] = layers
  const source = gzipSync(layer, { level: 1 })
  for (const method of ['auto', 'transcode', 'refine', 'recompress'] as const) {
    const digests = new Set<string>()
    for (const pieces of [1000, 65_537, 1 << 20, source.length]) {
      const { blob } = await convertWithoutRecord(source, {
        pieceSize: pieces,
        compression: { method, level: 6 },
      })
      digests.add(digestOf(blob))
    }
    expect(digests.size).toBe(1)
  }
})
