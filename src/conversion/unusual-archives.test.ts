import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConversionBench } from '../../test/support/conversion-bench.ts'
import { buildTar, dir, file, symlink } from '../../test/support/images/build-tar.ts'
import { pushImage } from '../../test/support/images/push-image.ts'

let bench: ConversionBench
beforeAll(async () => {
  bench = await ConversionBench.open()
})
afterAll(() => bench[Symbol.asyncDispose]())

/** Converts an image with the given archives as layers, with or without a record. */
async function convert(name: string, archives: readonly Buffer[], record?: readonly string[]) {
  await pushImage(bench.repository(name), { layers: archives.map((tar) => ({ tar })) }, 'a')
  const [source, target] = [`${bench.host}/${name}:a`, `${bench.host}/${name}:${record ? 'record' : 'plain'}`]
  const report = await bench.convert({
    source,
    target,
    ...(record && { record: { inline: record.map((path) => ({ path })) } }),
  })
  return { report, verify: () => bench.verify({ reference: target, source }) }
}

describe('an archive without padding after its last file', () => {
  const padded = buildTar(dir('usr'), file('usr/first', 'first'), file('usr/x', 'x'.repeat(300)))
  const unpadded = padded.subarray(0, 4 * 512 + 300)

  it.each([undefined, ['usr/x']])(
    'is converted, with a diffID of its bytes as they are; record: %j',
    async (record) => {
      const { report, verify } = await convert('unpadded', [unpadded], record)
      expect(report.images[0]?.layers).toMatchObject([{ entryCount: 4 }])
      expect(await verify()).toMatchObject({ verified: true })
    },
  )
})

describe('names that are not valid UTF-8', () => {
  const named = (...bytes: number[]) => Buffer.from([0x6e, ...bytes])
  const rejected = { code: 'UNSUPPORTED_ENTRY' }

  it.each([undefined, ['b']])(
    'are reported, as lazy readers show them differently; record: %j',
    async (record) => {
      const layer = buildTar(file(named(0xff), '1'), file('b', '2'), symlink('c', named(0xff)))
      const { report, verify } = await convert('alone', [layer, buildTar(file('d'))], record)
      expect(report.images[0]?.layers.map(({ warnings }) => warnings)).toEqual([
        [expect.stringMatching(/^2 entries have .* not valid UTF-8.*: "n\\xff", "c"$/)],
        undefined,
      ])
      expect(await verify()).toMatchObject({ verified: true })
    },
  )

  it.each([undefined, ['n\ufffd']])(
    'are rejected if lazy readers cannot distinguish them; record: %j',
    async (record) => {
      const layer = buildTar(file(named(0xff), '1'), file(named(0xfe), '22'), file('n\ufffd', '333'))
      const failed = await convert('three', [layer], record).catch((error) => error)
      expect(failed).toMatchObject({ ...rejected, side: 'source' })
      expect(failed.message).toMatch(/lazy readers cannot distinguish .*"n\\xff"/)
    },
  )

  it('are rejected if that happens across layers, also for whiteouts and directories', async () => {
    const below = buildTar(dir(named(0xff)), file(Buffer.concat([named(0xff), Buffer.from('/a')])))
    for (const above of [
      buildTar(file(named(0xfe))),
      buildTar(file('n\ufffd')),
      buildTar(file(Buffer.concat([Buffer.from('.wh.'), named(0xfe)]))),
      buildTar(file(Buffer.concat([named(0xfe), Buffer.from('/b')]))),
    ]) {
      await expect(convert('layers', [below, above])).rejects.toMatchObject(rejected)
    }
    const consistent = buildTar(
      file(Buffer.concat([named(0xff), Buffer.from('/.wh.a')])),
      file(Buffer.concat([named(0xff), Buffer.from('/b')])),
    )
    const { verify } = await convert('layers', [below, consistent, buildTar(file('n\ufffe'))])
    expect(await verify()).toMatchObject({ verified: true })
  })
})
