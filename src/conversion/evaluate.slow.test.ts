import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConversionBench } from '../../test/support/conversion-bench.ts'
import { buildTar, dir, file, symlink } from '../../test/support/images/build-tar.ts'
import { pushImage, pushIndex } from '../../test/support/images/push-image.ts'
import type { Digest } from '../oci/digest.ts'
import type { RecordUse } from '../records/resolve/record-use.ts'
import { evaluateRecord } from './evaluate.ts'
import type { LoadedRecord } from './record/loaded-record.ts'
import { runConversion } from './run.ts'
import { ListedLayerCache } from './source/listed-layer-cache.ts'
import { runVerification } from './verify.ts'

const never = new AbortController().signal
const MIB = 1024 * 1024
/** Incompressible bytes, so that compressed sizes are predictable. */
const noise = (size: number) => randomBytes(size)
const library = noise(2 * MIB)
const base = buildTar(
  dir('usr'),
  dir('usr/lib'),
  file('usr/lib/libx.so.1.2', library),
  symlink('lib', 'usr/lib'),
  file('var-big', noise(6 * MIB)),
  file('gone', 'gone'),
)
const top = buildTar(dir('srv'), file('srv/app', noise(MIB / 2)), file('.wh.gone'))
const recorded = ['lib/libx.so.1.2', 'srv/app', 'gone', 'usr/lib/libx.so.1.3', 'nowhere/at/all']

let bench: ConversionBench
let host: string
beforeAll(async () => {
  bench = await ConversionBench.open()
  host = bench.host
  await pushImage(bench.repository('app'), { layers: [{ tar: base }, { tar: top }] }, '1')
})
afterAll(() => bench[Symbol.asyncDispose]())

async function evaluate(image: string, record: Partial<LoadedRecord> = {}): Promise<RecordUse> {
  const entries = recorded.map((path) => ({ path }))
  const { images } = await evaluateRecord(
    { entries, ...record },
    { image: `${host}/${image}` },
    bench.services,
    never,
  )
  const [only] = images
  if (!only) throw new Error('no image')
  return only.record
}

describe('an evaluation', () => {
  it('reports the resolution of each recorded path, by reading layers without a table of contents', async () => {
    const use = await evaluate('app:1')
    expect(use).toMatchObject({
      pathCount: 5,
      placedCount: 2,
      followedCount: 1,
      notFoundCount: 2,
      notFound: [{ path: 'usr/lib/libx.so.1.3', nearest: 'usr/lib/libx.so.1.2' }, { path: 'nowhere/at/all' }],
      hiddenCount: 1,
      hidden: ['gone'],
      exact: false,
      layers: [
        { fileCount: 2, bytes: library.length },
        { fileCount: 1, bytes: MIB / 2 },
      ],
    })
    // The estimate in proportion is exact for incompressible content.
    expect(use.prefetchBytes).toBeGreaterThan(2.49 * MIB)
    expect(use.prefetchBytes).toBeLessThan(2.6 * MIB)
    expect(use.imageBytes).toBeGreaterThan(8.5 * MIB)
  })

  it('reports the same from tables of contents, with exact sizes, as the conversion does', async () => {
    const target = `${host}/app:1-fast`
    const report = await bench.convert({
      source: `${host}/app:1`,
      target,
      record: { inline: recorded.map((path) => ({ path })) },
    })
    const before = await evaluate('app:1')
    const after = await evaluate('app:1-fast')
    const converted = report.images[0]?.record
    for (const key of ['pathCount', 'placedCount', 'followedCount', 'notFound', 'hidden'] as const) {
      expect(after[key]).toEqual(before[key])
      expect(converted?.[key]).toEqual(before[key])
    }
    expect(after.exact).toBe(true)
    const expectClose = (a = 0, b = 0) => expect(Math.abs(a - b) / b).toBeLessThan(0.02)
    expectClose(after.prefetchBytes, converted?.prefetchBytes)
    expectClose(before.prefetchBytes, converted?.prefetchBytes)
  })

  it('estimates what a lazy start fetches', async () => {
    const { start, imageBytes } = await evaluate('app:1')
    expect(start.wholePull).toEqual({ bytes: imageBytes, requestCount: 2 })
    expect(start.withRecord.bytes).toBeGreaterThan(2.5 * MIB)
    expect(start.withRecord.bytes).toBeLessThan(2.8 * MIB)
    // The footer with the table of contents, and the prefetch, of both layers.
    expect(start.withRecord.requestCount).toBe(4)
    expect(start.withoutRecord.requestCount).toBe(4)
    const many = Array.from({ length: 40 }, (_, i) => [
      file(`use-${i}`, noise(1000)),
      file(`pass-${i}`, noise(200_000)),
    ])
    await pushImage(bench.repository('many'), { layers: [{ tar: buildTar(...many.flat()) }] }, '1')
    const spread = await evaluate('many:1', { entries: many.map((_, i) => ({ path: `use-${i}` })) })
    expect(spread.start.withoutRecord.requestCount).toBeGreaterThanOrEqual(40)
    expect(spread.start.withRecord.requestCount).toBe(2)
    expect(spread.start.withRecord.bytes).toBeLessThan(spread.start.withoutRecord.bytes / 4)
  })

  it('reports how many of the profiled files have changed', async () => {
    const repository = bench.repository('app')
    const old = await repository.resolve('1')
    const changed = buildTar(dir('srv'), file('srv/app', 'another one'))
    await pushImage(repository, { layers: [{ tar: base }, { tar: changed }] }, '2')
    const image = `${host}/app:1@${old?.digest}`
    const use = await evaluate('app:2', { image })
    // The library is unchanged, the program is not; "gone" was not a file of the profiled image.
    expect(use.staleness).toEqual({
      profiled: `${host}/app@${old?.digest}`,
      comparedCount: 2,
      changedCount: 1,
      share: 0.5,
    })
    expect((await evaluate('app:1', { image })).staleness).toMatchObject({ changedCount: 0, share: 0 })
    expect((await evaluate('app:2', { image: `${host}/app:1` })).stalenessUnknown).toMatch(/no digest/)
    const elsewhere = `forbidden.test/app@${old?.digest}`
    expect((await evaluate('app:2', { image: elsewhere })).stalenessUnknown).toMatch(/could not be read/)
    const source = `${host}/app:2`
    bench.records.set(
      '019ab1c2-7a30-7000-8000-4b1c2d3e4f50',
      recorded.map((path) => ({ path })),
    )
    const report = await bench.convert({
      source,
      target: `${host}/app:2-fast`,
      record: { id: '019ab1c2-7a30-7000-8000-4b1c2d3e4f50' },
    })
    expect(report.images[0]?.record?.stalenessUnknown).toMatch(/no digest/)
  })

  it('reads a layer once if its listing is cached', async () => {
    const listedLayers = new ListedLayerCache().of('default')
    const repository = bench.repository('once')
    const { digest } = await pushImage(repository, { layers: [{ tar: base }] }, '1')
    const record = { entries: [{ path: 'lib/libx.so.1.2' }] }
    const evaluateOnce = () =>
      evaluateRecord(record, { image: `${host}/once:1` }, { ...bench.services, listedLayers }, never)
    const first = await evaluateOnce()
    const { bytes } = await repository.getManifest(digest)
    const [layer] = (JSON.parse(bytes.toString()) as { layers: { digest: Digest }[] }).layers
    expect(listedLayers.get(repository, layer?.digest ?? digest)?.columns.nameEnd.length).toBeGreaterThan(4)
    expect(await evaluateOnce()).toEqual(first)
  })

  it('covers all platforms of an index, or the requested ones', async () => {
    const repository = bench.repository('multi')
    const amd = await pushImage(repository, { layers: [{ tar: base }] })
    const arm = await pushImage(repository, { layers: [{ tar: top }], architecture: 'arm64' })
    await pushIndex(repository, [amd, arm], '1')
    const record = { entries: [{ path: 'srv/app' }] }
    const all = await evaluateRecord(record, { image: `${host}/multi:1` }, bench.services, never)
    expect(all.images.map((one) => [one.platform, one.record.placedCount])).toEqual([
      ['linux/amd64', 0],
      ['linux/arm64', 1],
    ])
    const request = { image: `${host}/multi:1`, platforms: ['linux/arm64'] }
    expect((await evaluateRecord(record, request, bench.services, never)).images).toHaveLength(1)
  })

  it('limits the named paths over all images of a report, and counts all', async () => {
    const repository = bench.repository('platforms')
    const images = await Promise.all(
      ['amd64', 'arm64', 's390x', 'riscv64'].map((architecture) =>
        pushImage(repository, { layers: [{ tar: buildTar(file(architecture, 'x')) }], architecture }),
      ),
    )
    await pushIndex(repository, images, '1')
    const source = `${host}/platforms:1`
    const entries = Array.from({ length: 700 }, (_, n) => ({ path: `${n}/${'x'.repeat(3000)}` }))
    const evaluation = await evaluateRecord({ entries }, { image: source }, bench.services, never)
    const report = await bench.convert({
      source,
      target: `${host}/platforms:1-fast`,
      record: { inline: entries },
    })
    for (const { images: reported } of [evaluation, report]) {
      expect(reported.map(({ record }) => record?.notFoundCount)).toEqual([700, 700, 700, 700])
      const names = reported.flatMap(({ record }) => record?.notFound ?? [])
      expect(names.length).toBeGreaterThan(300)
      expect(JSON.stringify(reported).length).toBeLessThan(1.2 * MIB)
    }
  })

  it('rejects images with more layers in total than a setting allows', async () => {
    const services = { ...bench.services, bounds: { ...bench.services.bounds, maxReportLayers: 3 } }
    const repository = bench.repository('layers')
    const layers = [{ tar: base }, { tar: top }]
    const images = [
      await pushImage(repository, { layers }),
      await pushImage(repository, { layers, architecture: 'arm64' }),
    ]
    await pushIndex(repository, images, '1')
    const source = `${host}/layers:1`
    const record = { entries: [{ path: 'srv/app' }] }
    const target = `${host}/layers:1-fast`
    const rejected = {
      code: 'LIMIT_EXCEEDED',
      message: expect.stringContaining('RECORD_BROKER_MAX_REPORT_LAYERS'),
    }
    await expect(evaluateRecord(record, { image: source }, services, never)).rejects.toMatchObject(rejected)
    await expect(runConversion({ source, target }, services, { signal: never })).rejects.toMatchObject(
      rejected,
    )
    await expect(runVerification({ reference: source }, services, { signal: never })).rejects.toMatchObject(
      rejected,
    )
    const request = { image: source, platforms: ['linux/arm64'] }
    expect((await evaluateRecord(record, request, services, never)).images).toHaveLength(1)
  })

  it('rejects images whose platform has a long name, as progress repeats it for each layer', async () => {
    const config = { os: 'x'.repeat(101) }
    await pushImage(bench.repository('odd'), { layers: [{ tar: base }], configFields: config }, '1')
    const evaluated = evaluateRecord({ entries: [] }, { image: `${host}/odd:1` }, bench.services, never)
    await expect(evaluated).rejects.toMatchObject({ code: 'INVALID_DOCUMENT' })
  })
})

describe('the interpreters of recorded programs', () => {
  const elf = () => {
    const bytes = Buffer.concat([Buffer.alloc(200), noise(300_000)])
    bytes.write('\x7fELF\x02\x01', 'latin1')
    bytes.writeBigUInt64LE(64n, 32)
    bytes.writeUInt16LE(56, 54)
    bytes.writeUInt16LE(1, 56)
    bytes.writeUInt32LE(3, 64)
    bytes.writeBigUInt64LE(150n, 72)
    bytes.writeBigUInt64LE(11n, 96)
    bytes.write('/lib/ld.so\0', 150, 'latin1')
    return bytes
  }
  const programs = buildTar(
    dir('lib'),
    file('lib/ld.so', 'loader', { mode: 0o755 }),
    file('app', elf(), { mode: 0o755 }),
    file('start.sh', '#!/app -x\nexit\n', { mode: 0o755 }),
    file('notes', '#!/none\n'),
  )
  const entries = [{ path: 'start.sh' }, { path: 'notes' }]
  const implied = [
    { path: 'app', by: 'start.sh' },
    { path: 'lib/ld.so', by: 'start.sh' },
  ]

  it.each([
    ['estargz', {}],
    ['estargz with shared members', { minChunkSize: 1_000_000 }],
    ['zstd:chunked', { format: 'zstd-chunked' as const }],
  ])(
    'are placed after them, whether layers are read or %s is read by ranged requests',
    async (name, options) => {
      const source = `programs:${name.length}`
      await pushImage(bench.repository('programs'), { layers: [{ tar: programs }] }, String(name.length))
      const target = `${host}/${source}-fast`
      const report = await bench.convert({
        source: `${host}/${source}`,
        target,
        record: { inline: entries },
        options,
      })
      const use = report.images[0]?.record
      expect(use).toMatchObject({
        pathCount: 2,
        placedCount: 2,
        impliedCount: 2,
        implied,
        layers: [{ fileCount: 4 }],
      })
      const byRanges = await evaluate(`${source}-fast`, { entries })
      expect(byRanges).toMatchObject({ implied, layers: [{ fileCount: 4 }] })
      expect(byRanges.unreadProgramCount).toBeUndefined()
      expect(await evaluate(source, { entries })).toMatchObject({ implied })
    },
  )

  it('are not placed if options disable that', async () => {
    await pushImage(bench.repository('programs'), { layers: [{ tar: programs }] }, 'off')
    const source = `${host}/programs:off`
    const convert = (interpreters: boolean) =>
      bench.convert({
        source,
        target: `${host}/programs:off-${interpreters}`,
        record: { inline: entries },
        options: { interpreters },
      })
    const [off, on] = [await convert(false), await convert(true)]
    expect(off.images[0]?.record).toMatchObject({ impliedCount: 0, layers: [{ fileCount: 2 }] })
    expect(on.images[0]?.record).toMatchObject({ impliedCount: 2, layers: [{ fileCount: 4 }] })
  })
})
