import { describe, expect, it } from 'vitest'
import { buildTar, dir, file, symlink } from '../../../test/support/images/build-tar.ts'
import {
  convertWithoutRecord,
  convertWithRecord,
  rearrangeMembers,
  splitIntoPieces,
} from '../../../test/support/images/convert-layer.ts'
import { decodeLayer } from '../../compression/decode-layer.ts'
import type { TarEntry } from '../../tar/header.ts'
import { DEFAULT_LAYER_LIMITS } from '../../tar/layer-limits.ts'
import { TarScanner } from '../../tar/tar-scanner.ts'
import { DEFAULT_FORMAT } from '../blob-format.ts'
import type { TocEntry } from '../toc/toc-entry.ts'
import { verifyEStargzBlob } from '../verify/verify-blob.ts'

const capability = Buffer.from([1, 0, 0, 2, 0xff])
const base = buildTar(
  dir('./', { mode: 0o711, mtime: 5 }),
  dir('tmp', { mode: 0o1777, mtime: 1_600_000_000 }),
  dir('data', {
    mode: 0o700,
    uid: 1000,
    gid: 3_000_000,
    uname: 'someone',
    pax: {
      mtime: '1500000000.75',
      gid: '3000000',
      'SCHILY.xattr.security.capability': capability,
      'SCHILY.xattr.trusted.overlay.opaque': 'y',
      'SCHILY.xattr.user.overlay.origin': 'x',
    },
  }),
)
const middle = buildTar(symlink('lib', 'usr/lib'), file('tmp/below', 'below'))
const top = buildTar(file('tmp/x', '1'), file('data/deep/y', '2'), file('lib/z', '3'), file('opt/w', '4'))
const lower = [middle, base]

async function entriesOf(blob: Buffer): Promise<TarEntry[]> {
  const scanner = new TarScanner(DEFAULT_LAYER_LIMITS)
  const entries: TarEntry[] = []
  for await (const piece of decodeLayer(splitIntoPieces(blob), { limits: DEFAULT_LAYER_LIMITS })) {
    for (const event of scanner.push(piece)) if (event.kind === 'entry') entries.push(event.entry)
  }
  return entries
}
const tarNames = (entries: { tarName: string }[]) => entries.map(({ tarName }) => tarName)
const ADDED_NAMES = ['./', 'data/', 'data/deep/', 'opt/', 'tmp/']

describe('a directory that a layer has no entry for', () => {
  it('gets an entry at the end of the archive, with the metadata from the nearest lower layer', async () => {
    const { blob, result } = await convertWithoutRecord(top, { lower })
    const entries = await entriesOf(blob)
    expect(tarNames(entries)).toEqual([
      'tmp/x',
      'data/deep/y',
      'lib/z',
      'opt/w',
      ...ADDED_NAMES,
      '.no.prefetch.landmark',
      'stargz.index.json',
    ])
    const byName = Object.fromEntries(entries.map((entry) => [entry.name, entry]))
    expect(byName['']).toMatchObject({ type: 'dir', mode: 0o711, mtime: { seconds: 5 } })
    expect(byName.tmp).toMatchObject({ type: 'dir', mode: 0o1777, mtime: { seconds: 1_600_000_000 } })
    expect(byName.data).toMatchObject({ mode: 0o700, uid: 1000, gid: 3_000_000, uname: 'someone' })
    // Times are rounded to the second, as in tables of contents.
    expect(byName.data?.mtime).toEqual({ seconds: 1_500_000_001, nanoseconds: 0 })
    expect(byName.data?.xattrs).toEqual({ 'security.capability': capability })
    for (const name of ['data/deep', 'opt']) {
      expect(byName[name]).toMatchObject({
        mode: 0o755,
        uid: 0,
        gid: 0,
        mtime: { seconds: 0, nanoseconds: 0 },
      })
    }
    expect(result.entries).toBe(9)
    const verified = await verifyEStargzBlob(splitIntoPieces(blob), {
      limits: DEFAULT_LAYER_LIMITS,
      tocDigest: result.tocDigest,
    })
    expect(verified).toMatchObject({ entries: 10, landmark: 'no-prefetch' })
  })

  it('precedes prioritized entries below it, and otherwise goes to the end', async () => {
    const { blob, result, placed } = await convertWithRecord(top, ['data/deep/y'], { lower })
    expect(placed).toEqual(['data/deep/y'])
    expect(tarNames(await entriesOf(blob))).toEqual([
      './',
      'data/',
      'data/deep/',
      'data/deep/y',
      '.prefetch.landmark',
      'tmp/x',
      'lib/z',
      'opt/w',
      'opt/',
      'tmp/',
      'stargz.index.json',
    ])
    const verified = await verifyEStargzBlob(splitIntoPieces(blob), {
      limits: DEFAULT_LAYER_LIMITS,
      tocDigest: result.tocDigest,
    })
    expect(verified.prioritized).toEqual(['data/deep/y'])
  })

  it('can be prioritized itself', async () => {
    const { blob, placed } = await convertWithRecord(top, ['tmp'], { lower })
    expect(placed).toEqual(['tmp'])
    expect(tarNames(await entriesOf(blob)).slice(0, 3)).toEqual(['./', 'tmp/', '.prefetch.landmark'])
  })

  it('is not in the index, so that new arrangements get the directories of their own layers', async () => {
    for (const format of [{}, { compression: 'zstd' as const }, { externalToc: true }]) {
      const withoutLower = await convertWithoutRecord(top, { format, lower: [] })
      const streamed = await convertWithoutRecord(top, { format, lower })
      const entries = ({ index }: typeof withoutLower.result) =>
        Array.from({ length: index.length }, (_, i) => index.entry(i))
      expect(entries(streamed.result)).toEqual(entries(withoutLower.result))
      expect(streamed.result.index.missingDirectories).toEqual(withoutLower.result.index.missingDirectories)
      const prioritized = ['opt/w', 'tmp/x']
      const direct = await convertWithRecord(top, prioritized, { format, lower })
      let latest: { blob: Buffer; result: { index: typeof withoutLower.result.index } } = withoutLower
      const rearrangedOnce = await rearrangeMembers(streamed.blob, streamed.result.index, prioritized, {
        format,
        lower,
      })
      expect(rearrangedOnce.blob.equals(direct.blob)).toBe(true)
      for (const order of [['tmp/x'], prioritized, ['lib/z', 'data/deep/y'], prioritized]) {
        latest = await rearrangeMembers(latest.blob, latest.result.index, order, { format, lower })
      }
      expect(latest.blob.equals(direct.blob)).toBe(true)
      const sourceOrder = await rearrangeMembers(latest.blob, latest.result.index, [], { format, lower })
      expect(sourceOrder.blob.equals(streamed.blob)).toBe(true)
    }
  })

  it('makes converting a converted layer return the same bytes', async () => {
    const many = Array.from({ length: 200 }, (_, i) =>
      file(`d${i}/${'name'.repeat(60)}`, i % 3 ? '' : 'content'),
    )
    for (const layer of [top, buildTar(...many)]) {
      for (const format of [{}, { minChunkSize: 5000 }, { compression: 'zstd' as const }]) {
        const once = await convertWithoutRecord(layer, { format, lower })
        const twice = await convertWithoutRecord(once.blob, { format, lower })
        expect(twice.blob.equals(once.blob) || 'minChunkSize' in format).toBe(true)
        const assembled = await convertWithRecord(layer, [], { format, lower })
        expect(assembled.blob.equals(once.blob) || 'minChunkSize' in format).toBe(true)
      }
    }
  })

  it('is only in the table of contents if the archive is preserved', async () => {
    const format = { ...DEFAULT_FORMAT, externalToc: true, lossless: true }
    const { blob, result } = await convertWithoutRecord(top, { format, lower })
    expect(tarNames(await entriesOf(blob))).toEqual(['tmp/x', 'data/deep/y', 'lib/z', 'opt/w'])
    const externalToc = Buffer.from(result.externalToc ?? [])
    const toc = (await parseTocArchive(externalToc)).entries
    expect(toc.map(({ name }) => name)).toEqual(['tmp/x', 'data/deep/y', 'lib/z', 'opt/w', ...ADDED_NAMES])
    expect(toc.at(-1)).toEqual({ name: 'tmp/', type: 'dir', mode: 0o1777, modtime: '2020-09-13T12:26:40Z' })
    expect(toc.find(({ name }) => name === 'opt/')).toMatchObject({ modtime: '1970-01-01T00:00:00Z' })
  })
})

/** Parses the table of contents in the blob of an external one. */
async function parseTocArchive(toc: Buffer): Promise<{ entries: TocEntry[] }> {
  const parts: Buffer[] = []
  const scanner = new TarScanner(DEFAULT_LAYER_LIMITS)
  for await (const piece of decodeLayer(splitIntoPieces(toc), { limits: DEFAULT_LAYER_LIMITS })) {
    for (const event of scanner.push(piece))
      if (event.kind === 'content') parts.push(Buffer.from(event.bytes))
  }
  return JSON.parse(Buffer.concat(parts).toString())
}
