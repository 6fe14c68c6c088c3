import { describe, expect, it } from 'vitest'
import { piecesOf } from '../../test/support/convert-layer.ts'
import { type Attributes, dir, file, hardlink, symlink, tarOf } from '../../test/support/tar-of.ts'
import { DEFAULT_LIMITS } from '../tar/limits.ts'
import { compareTrees } from './compare.ts'
import { listTree } from './layer-tree.ts'
import { RootTree } from './root-tree.ts'

const tree = async (...layers: Buffer[]) =>
  new RootTree(
    await Promise.all(layers.map((layer) => listTree(piecesOf(layer), DEFAULT_LIMITS))),
    DEFAULT_LIMITS,
  )

describe('RootTree', () => {
  it('gives hard links one file, also one that lost its first name', async () => {
    const merged = await tree(tarOf(file('a', 'old'), hardlink('l', 'a'), file('a', 'newer')))
    const sizeOf = (name: string) => merged.entryOf(merged.view.named(name) ?? -1)?.size
    expect([sizeOf('l'), sizeOf('a')]).toEqual([3, 5])
  })

  it('refuses names that imply more directories than a layer may have entries', async () => {
    const deep = tarOf(file(`${'d/'.repeat(500)}f`))
    const listed = await listTree(piecesOf(deep), DEFAULT_LIMITS)
    expect(() => new RootTree([listed], { maxEntries: 100 })).toThrow('RECORD_BROKER_MAX_ENTRIES')
    expect(new RootTree([listed], { maxEntries: 1000 }).linkedFiles().size).toBe(0)
  })
})

describe('compareTrees', () => {
  const one = (attributes: Attributes = {}, content = 'x') => tarOf(file('a', content, attributes))

  it.each<[string, Buffer]>([
    ['size', one({}, 'xx')],
    ['digest', one({}, 'y')],
    ['mode', one({ mode: 0o600 })],
    ['uid', one({ uid: 1 })],
    ['gname', one({ gname: 'wheel' })],
    ['modtime', one({ mtime: 5 })],
    ['modtime', one({ pax: { mtime: '1577836800.5' } })],
    ['extended attribute user.k', one({ pax: { 'SCHILY.xattr.user.k': Buffer.from([0xff]) } })],
    ['type', tarOf(dir('a'))],
    ['linkName', tarOf(symlink('a', 'b'))],
    ['/b: only in the second tree', tarOf(file('a', 'x'), file('b'))],
    ['/a: only in the first tree', tarOf()],
  ])('sees another %s', async (what, other) => {
    const differences = compareTrees(await tree(one()), await tree(other))
    expect(differences.join('\n')).toContain(what)
  })

  it('sees which names share a file, whichever of them the archive names first', async () => {
    const two = await tree(tarOf(file('a', 'x'), hardlink('b', 'a')))
    expect(compareTrees(two, await tree(tarOf(file('b', 'x'), hardlink('a', 'b'))))).toEqual([])
    expect(compareTrees(two, await tree(tarOf(file('a', 'x'), file('b', 'x'))))).toHaveLength(1)
  })

  it('sees what is missing below a directory, of either tree', async () => {
    const [large, small] = [await tree(tarOf(dir('d'), file('d/a'))), await tree(tarOf())]
    expect(compareTrees(large, small)).toEqual(['/d: only in the first tree', '/d/a: only in the first tree'])
    expect(compareTrees(small, large)).toEqual([
      '/d: only in the second tree',
      '/d/a: only in the second tree',
    ])
  })

  it('says a bounded number of differences', async () => {
    const many = await tree(tarOf(...Array.from({ length: 80 }, (_, i) => file(`f${i}`))))
    const differences = compareTrees(many, await tree(tarOf()))
    expect(differences).toHaveLength(51)
    expect(differences.at(-1)).toBe('and 30 more')
  })

  it('tells the beginning of what is long', async () => {
    const long = (end: string) => 'x'.repeat(3000) + end
    const attribute = { [`SCHILY.xattr.user.${long('')}`]: 'v' }
    const a = await tree(tarOf(symlink('l', long('1')), file('f', '', { pax: attribute })))
    const b = await tree(tarOf(symlink('l', long('2')), file('f', '')))
    const lines = compareTrees(a, b)
    expect(lines).toHaveLength(2)
    for (const line of lines) expect(line.length).toBeLessThan(500)
  })
})
