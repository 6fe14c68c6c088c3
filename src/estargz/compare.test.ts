import { describe, expect, it } from 'vitest'
import { piecesOf } from '../../test/support/convert-layer.ts'
import { type Attributes, dir, file, hardlink, symlink, tarOf } from '../../test/support/tar-of.ts'
import { compareTrees } from './compare.ts'
import { listTree } from './layer-tree.ts'
import { DEFAULT_LIMITS } from './limits.ts'
import { RootTree } from './root-tree.ts'

const tree = async (...layers: Buffer[]) =>
  new RootTree(await Promise.all(layers.map((layer) => listTree(piecesOf(layer), DEFAULT_LIMITS))))

const namesOf = (all: RootTree) => [...all.names()].map((i) => all.name(i)).sort()
const sizeOf = (all: RootTree, name: string) => all.entry(all.fileOf(all.find(name) ?? -1)).size

const names = async (...layers: Buffer[]) => namesOf(await tree(...layers))

describe('RootTree', () => {
  const base = tarOf(dir('d'), file('d/a', '1'), file('d/b', '2'), dir('d/e'), file('d/e/f'), file('x', '3'))

  it('takes away what whiteouts name, with everything below', async () => {
    expect(await names(base, tarOf(file('d/.wh.e'), file('.wh.x')))).toEqual(['d', 'd/a', 'd/b'])
  })

  it('empties opaque directories of lower layers only, wherever the whiteout stands', async () => {
    expect(await names(base, tarOf(file('d/new'), file('d/.wh..wh..opq')))).toEqual(['d', 'd/new', 'x'])
    expect(await names(base, tarOf(file('.wh..wh..opq'), file('new')))).toEqual(['new'])
  })

  it('replaces names, and directories by what is none', async () => {
    const merged = await tree(base, tarOf(file('d', 'file'), file('x', 'new')))
    expect(namesOf(merged)).toEqual(['d', 'x'])
    expect(sizeOf(merged, 'x')).toBe(3)
  })

  it('leaves out what eStargz adds', async () => {
    expect(await names(tarOf(file('.no.prefetch.landmark'), file('a'), file('stargz.index.json')))).toEqual([
      'a',
    ])
  })

  it('gives hard links one file, also one that lost its first name', async () => {
    const merged = await tree(tarOf(file('a', 'old'), hardlink('l', 'a'), file('a', 'newer')))
    expect(sizeOf(merged, 'l')).toBe(3)
    expect(sizeOf(merged, 'a')).toBe(5)
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
