import { describe, expect, it } from 'vitest'
import { convertLayer, piecesOf, rearranged, streamedLayer } from '../../../test/support/convert-layer.ts'
import { dir, file, symlink, tarOf } from '../../../test/support/tar-of.ts'
import { decodeLayer } from '../../compression/decode.ts'
import type { TarEntry } from '../../tar/header.ts'
import { DEFAULT_LIMITS } from '../../tar/limits.ts'
import { TarScanner } from '../../tar/scanner.ts'
import { DEFAULT_FORMAT } from '../blob-format.ts'
import type { TocEntry } from '../toc/write-toc.ts'
import { verifyEStargzBlob } from '../verify/verify.ts'

const capability = Buffer.from([1, 0, 0, 2, 0xff])
const base = tarOf(
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
const middle = tarOf(symlink('lib', 'usr/lib'), file('tmp/below', 'below'))
const top = tarOf(file('tmp/x', '1'), file('data/deep/y', '2'), file('lib/z', '3'), file('opt/w', '4'))
const lower = [middle, base]

async function archiveOf(blob: Buffer): Promise<TarEntry[]> {
  const scanner = new TarScanner(DEFAULT_LIMITS)
  const entries: TarEntry[] = []
  for await (const piece of decodeLayer(piecesOf(blob), { limits: DEFAULT_LIMITS })) {
    for (const event of scanner.push(piece)) if (event.kind === 'entry') entries.push(event.entry)
  }
  return entries
}
const names = (entries: { tarName: string }[]) => entries.map(({ tarName }) => tarName)
const ADDED = ['./', 'data/', 'data/deep/', 'opt/', 'tmp/']

describe('a directory that a layer lacks', () => {
  it('becomes an entry at the end of the archive, with all that the nearest lower layer says of it', async () => {
    const { blob, result } = await streamedLayer(top, { lower })
    const entries = await archiveOf(blob)
    expect(names(entries)).toEqual([
      'tmp/x',
      'data/deep/y',
      'lib/z',
      'opt/w',
      ...ADDED,
      '.no.prefetch.landmark',
      'stargz.index.json',
    ])
    const seen = Object.fromEntries(entries.map((entry) => [entry.name, entry]))
    expect(seen['']).toMatchObject({ type: 'dir', mode: 0o711, mtime: { seconds: 5 } })
    expect(seen.tmp).toMatchObject({ type: 'dir', mode: 0o1777, mtime: { seconds: 1_600_000_000 } })
    expect(seen.data).toMatchObject({ mode: 0o700, uid: 1000, gid: 3_000_000, uname: 'someone' })
    // Times are rounded, as tables of contents have them.
    expect(seen.data?.mtime).toEqual({ seconds: 1_500_000_001, nanoseconds: 0 })
    expect(seen.data?.xattrs).toEqual({ 'security.capability': capability })
    for (const name of ['data/deep', 'opt']) {
      expect(seen[name]).toMatchObject({ mode: 0o755, uid: 0, gid: 0, mtime: { seconds: 0, nanoseconds: 0 } })
    }
    expect(result.entries).toBe(9)
    const verified = await verifyEStargzBlob(piecesOf(blob), {
      limits: DEFAULT_LIMITS,
      tocDigest: result.tocDigest,
    })
    expect(verified).toMatchObject({ entries: 10, landmark: 'no-prefetch' })
  })

  it('comes before what is prioritized in it, and at the end otherwise', async () => {
    const { blob, result, placed } = await convertLayer(top, ['data/deep/y'], { lower })
    expect(placed).toEqual(['data/deep/y'])
    expect(names(await archiveOf(blob))).toEqual([
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
    const verified = await verifyEStargzBlob(piecesOf(blob), {
      limits: DEFAULT_LIMITS,
      tocDigest: result.tocDigest,
    })
    expect(verified.prioritized).toEqual(['data/deep/y'])
  })

  it('is prioritized itself where that is asked for', async () => {
    const { blob, placed } = await convertLayer(top, ['tmp'], { lower })
    expect(placed).toEqual(['tmp'])
    expect(names(await archiveOf(blob)).slice(0, 3)).toEqual(['./', 'tmp/', '.prefetch.landmark'])
  })

  it('leaves the index as it is: new arrangements get those of their own layers', async () => {
    for (const format of [{}, { compression: 'zstd' as const }, { externalToc: true }]) {
      const alone = await streamedLayer(top, { format, lower: [] })
      const streamed = await streamedLayer(top, { format, lower })
      const entries = ({ index }: typeof alone.result) =>
        Array.from({ length: index.length }, (_, i) => index.entry(i))
      expect(entries(streamed.result)).toEqual(entries(alone.result))
      expect(streamed.result.index.missing).toEqual(alone.result.index.missing)
      const wanted = ['opt/w', 'tmp/x']
      const direct = await convertLayer(top, wanted, { format, lower })
      let made: { blob: Buffer; result: { index: typeof alone.result.index } } = alone
      const fromThere = await rearranged(streamed.blob, streamed.result.index, wanted, { format, lower })
      expect(fromThere.blob.equals(direct.blob)).toBe(true)
      for (const order of [['tmp/x'], wanted, ['lib/z', 'data/deep/y'], wanted]) {
        made = await rearranged(made.blob, made.result.index, order, { format, lower })
      }
      expect(made.blob.equals(direct.blob)).toBe(true)
      const back = await rearranged(made.blob, made.result.index, [], { format, lower })
      expect(back.blob.equals(streamed.blob)).toBe(true)
    }
  })

  it('comes of a layer that was converted before, to the same bytes', async () => {
    const many = Array.from({ length: 200 }, (_, i) =>
      file(`d${i}/${'name'.repeat(60)}`, i % 3 ? '' : 'content'),
    )
    for (const layer of [top, tarOf(...many)]) {
      for (const format of [{}, { minChunkSize: 5000 }, { compression: 'zstd' as const }]) {
        const once = await streamedLayer(layer, { format, lower })
        const twice = await streamedLayer(once.blob, { format, lower })
        expect(twice.blob.equals(once.blob) || 'minChunkSize' in format).toBe(true)
        const assembled = await convertLayer(layer, [], { format, lower })
        expect(assembled.blob.equals(once.blob) || 'minChunkSize' in format).toBe(true)
      }
    }
  })

  it('is in the table of contents alone where the archive stays as it is', async () => {
    const format = { ...DEFAULT_FORMAT, externalToc: true, lossless: true }
    const { blob, result } = await streamedLayer(top, { format, lower })
    expect(names(await archiveOf(blob))).toEqual(['tmp/x', 'data/deep/y', 'lib/z', 'opt/w'])
    const externalToc = Buffer.from(result.externalToc ?? [])
    const toc = (await archiveBytes(externalToc)).entries
    expect(toc.map(({ name }) => name)).toEqual(['tmp/x', 'data/deep/y', 'lib/z', 'opt/w', ...ADDED])
    expect(toc.at(-1)).toEqual({ name: 'tmp/', type: 'dir', mode: 0o1777, modtime: '2020-09-13T12:26:40Z' })
    expect(toc.find(({ name }) => name === 'opt/')).toMatchObject({ modtime: '1970-01-01T00:00:00Z' })
  })
})

async function archiveBytes(toc: Buffer): Promise<{ entries: TocEntry[] }> {
  const parts: Buffer[] = []
  const scanner = new TarScanner(DEFAULT_LIMITS)
  for await (const piece of decodeLayer(piecesOf(toc), { limits: DEFAULT_LIMITS })) {
    for (const event of scanner.push(piece))
      if (event.kind === 'content') parts.push(Buffer.from(event.bytes))
  }
  return JSON.parse(Buffer.concat(parts).toString())
}
