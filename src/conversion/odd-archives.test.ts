import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConversionBench } from '../../test/support/conversion.ts'
import { pushImage } from '../../test/support/image-of.ts'
import { dir, file, tarOf } from '../../test/support/tar-of.ts'

let bench: ConversionBench
beforeAll(async () => {
  bench = await ConversionBench.open()
})
afterAll(() => bench[Symbol.asyncDispose]())

/** Converts an image of these archives, with a record or without one. */
async function convert(name: string, archives: readonly Buffer[], record?: readonly string[]) {
  await pushImage(bench.repository(name), { layers: archives.map((tar) => ({ tar })) }, 'a')
  const [source, target] = [`${bench.host}/${name}:a`, `${bench.host}/${name}:${record ? 'record' : 'plain'}`]
  const report = await bench.convert({
    source,
    target,
    ...(record && { record: { inline: record.map((path) => ({ path })) } }),
  })
  return { report, verified: () => bench.verify({ reference: target, source }) }
}

describe('an archive that ends after its last byte of content', () => {
  const whole = tarOf(dir('usr'), file('usr/first', 'first'), file('usr/x', 'x'.repeat(300)))
  const cut = whole.subarray(0, 4 * 512 + 300)

  it.each([undefined, ['usr/x']])(
    'is converted, and the source known by the bytes that are there; record: %j',
    async (record) => {
      const { report, verified } = await convert('unpadded', [cut], record)
      expect(report.images[0]?.layers).toMatchObject([{ entries: 3 }])
      expect(await verified()).toMatchObject({ verified: true })
    },
  )
})
