import { describe, expect, it } from 'vitest'
import { buildTar, dir, file, symlink } from '../../../test/support/images/build-tar.ts'
import { convertWithRecord } from '../../../test/support/images/convert-layer.ts'
import { digestOf } from '../../oci/digest.ts'
import { DEFAULT_LAYER_LIMITS as limits } from '../../tar/layer-limits.ts'
import { ArchiveIndex } from '../index/archive-index.ts'
import { fetchToc, openEStargz, parseCompressedToc } from './read-toc.ts'
import { TocIndexer } from './toc-indexer.ts'

const large = Buffer.alloc(300_000, 'large content ')
const layer = buildTar(
  dir('etc'),
  file('etc/a', 'first'),
  file('etc/large', large),
  file('etc/empty'),
  symlink('link', 'etc/a'),
  file('small-1', 'one'),
  file('small-2', 'two'),
)

/** Indexes the table of contents of a converted layer. */
async function indexOf(format: { chunkSize?: number; minChunkSize?: number }) {
  const { blob } = await convertWithRecord(layer, ['etc/a'], { format })
  const readRange = async (start: number, end: number) => blob.subarray(start, end)
  const source = { size: blob.length, readRange, limits }
  const indexer = new TocIndexer(limits)
  const toc = await fetchToc(source)
  const { membersEnd } = await parseCompressedToc(toc, { limits, visit: (entry) => indexer.add(entry) })
  const { entries } = await openEStargz(source)
  return { index: new ArchiveIndex(indexer.finish(membersEnd)), membersEnd, entries }
}

describe('the index of a table of contents', () => {
  it('lists the entries in order, without landmarks', async () => {
    const { index } = await indexOf({})
    const entries = Array.from({ length: index.length }, (_, i) => index.entry(i))
    expect(entries.map(({ name, type, linkName, size }) => ({ name, type, linkName, size }))).toEqual([
      { name: 'etc', type: 'dir' },
      { name: 'etc/a', type: 'reg', size: 5 },
      { name: 'etc/large', type: 'reg', size: large.length },
      { name: 'etc/empty', type: 'reg' },
      { name: 'link', type: 'symlink', linkName: 'etc/a' },
      { name: 'small-1', type: 'reg', size: 3 },
      { name: 'small-2', type: 'reg', size: 3 },
    ])
    expect(entries.map(({ digest }) => digest)).toEqual([
      undefined,
      digestOf('first'),
      digestOf(large),
      digestOf(''),
      undefined,
      digestOf('one'),
      digestOf('two'),
    ])
  })

  it('locates the content of a file of several chunks as one range', async () => {
    const { index, membersEnd, entries } = await indexOf({ chunkSize: 65_536 })
    const chunks = entries.filter(({ name }) => name === 'etc/large')
    expect(chunks).toHaveLength(5)
    const [chunk, ...others] = index.chunks(2)
    expect(others).toEqual([])
    expect(chunk?.offset).toBe(chunks[0]?.offset)
    const end = (chunk?.offset ?? 0) + (chunk?.length ?? 0)
    expect(end).toBeGreaterThan(chunks.at(-1)?.offset ?? 0)
    expect(end).toBeLessThanOrEqual(membersEnd)
  })

  it('locates files in a shared member by the member and an inner offset', async () => {
    const { index } = await indexOf({ minChunkSize: 50_000 })
    const [one, two] = ['small-1', 'small-2'].map((name) => {
      const i = Array.from({ length: index.length }, (_, n) => index.name(n)).indexOf(name)
      return index.chunks(i)[0]
    })
    expect(one).toMatchObject({ size: 3, offset: two?.offset })
    expect(two?.innerOffset).toBeGreaterThan(one?.innerOffset ?? 0)
  })
})
