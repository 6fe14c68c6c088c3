import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConversionBench } from '../../test/support/conversion.ts'
import { pushImage } from '../../test/support/image-of.ts'
import { dir, file, symlink, tarOf } from '../../test/support/tar-of.ts'

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
      expect(report.images[0]?.layers).toMatchObject([{ entries: 4 }])
      expect(await verified()).toMatchObject({ verified: true })
    },
  )
})

describe('names that are no UTF-8', () => {
  const named = (...bytes: number[]) => Buffer.from([0x6e, ...bytes])
  const refused = { code: 'UNSUPPORTED_ENTRY' }

  it.each([undefined, ['b']])(
    'are told of in the report, as readers see them otherwise; record: %j',
    async (record) => {
      const layer = tarOf(file(named(0xff), '1'), file('b', '2'), symlink('c', named(0xff)))
      const { report, verified } = await convert('alone', [layer, tarOf(file('d'))], record)
      expect(report.images[0]?.layers.map(({ warnings }) => warnings)).toEqual([
        [expect.stringMatching(/^2 entries have .* no UTF-8.*: "n\\xff", "c"$/)],
        undefined,
      ])
      expect(await verified()).toMatchObject({ verified: true })
    },
  )

  it.each([undefined, ['n\ufffd']])(
    'are refused where readers take them for one; record: %j',
    async (record) => {
      const layer = tarOf(file(named(0xff), '1'), file(named(0xfe), '22'), file('n\ufffd', '333'))
      const failed = await convert('three', [layer], record).catch((error) => error)
      expect(failed).toMatchObject({ ...refused, side: 'source' })
      expect(failed.message).toMatch(/"n\\xff".* are one name to lazy readers/)
    },
  )

  it('are refused where they do so in different layers, also as whiteouts and directories', async () => {
    const below = tarOf(dir(named(0xff)), file(Buffer.concat([named(0xff), Buffer.from('/a')])))
    for (const above of [
      tarOf(file(named(0xfe))),
      tarOf(file('n\ufffd')),
      tarOf(file(Buffer.concat([Buffer.from('.wh.'), named(0xfe)]))),
      tarOf(file(Buffer.concat([named(0xfe), Buffer.from('/b')]))),
    ]) {
      await expect(convert('layers', [below, above])).rejects.toMatchObject(refused)
    }
    const same = tarOf(
      file(Buffer.concat([named(0xff), Buffer.from('/.wh.a')])),
      file(Buffer.concat([named(0xff), Buffer.from('/b')])),
    )
    const { verified } = await convert('layers', [below, same, tarOf(file('n\ufffe'))])
    expect(await verified()).toMatchObject({ verified: true })
  })
})
