import { describe, expect, it } from 'vitest'
import { piecesOf } from '../../../test/support/convert-layer.ts'
import { type Attributes, dir, file, hardlink, symlink, tarOf } from '../../../test/support/tar-of.ts'
import { DEFAULT_LIMITS } from '../../tar/limits.ts'
import { listTree } from '../index/layer-tree.ts'
import { compareTrees } from './compare.ts'
import { RootTree } from './root-tree.ts'
import type { Showing } from './shown-layers.ts'

const shown = async (showing: Showing, ...layers: Buffer[]) =>
  new RootTree(
    await Promise.all(layers.map((layer) => listTree(piecesOf(layer), DEFAULT_LIMITS))),
    showing,
    DEFAULT_LIMITS,
  )
const tree = (...layers: Buffer[]) => shown('pulled', ...layers)

describe('RootTree', () => {
  it('gives hard links one file, also one that lost its first name', async () => {
    const merged = await tree(tarOf(file('a', 'old'), hardlink('l', 'a'), file('a', 'newer')))
    const sizeOf = (name: string) => merged.entryOf(merged.view.named(name) ?? -1)?.size
    expect([sizeOf('l'), sizeOf('a')]).toEqual([3, 5])
  })

  it('refuses names that imply more directories than a layer may have entries', async () => {
    const deep = tarOf(file(`${'d/'.repeat(500)}f`))
    const listed = await listTree(piecesOf(deep), DEFAULT_LIMITS)
    expect(() => new RootTree([listed], 'pulled', { maxEntries: 100 })).toThrow('RECORD_BROKER_MAX_ENTRIES')
    expect(new RootTree([listed], 'pulled', { maxEntries: 1000 }).linkedFiles().size).toBe(0)
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

describe('a pull and a lazy reader', () => {
  const root = dir('./')
  const differences = async (...layers: Buffer[]) =>
    compareTrees(await shown('pulled', ...layers), await shown('lazy', ...layers))

  it('show the same where each layer has an entry of each directory', async () => {
    expect(
      await differences(tarOf(root, dir('a', { mode: 0o700 })), tarOf(root, dir('a'), file('a/x'))),
    ).toEqual([])
  })

  it('differ in what the reader invents', async () => {
    const below = tarOf(root, dir('tmp', { mode: 0o1777 }), dir('data', { mode: 0o700, uid: 1000, mtime: 5 }))
    expect(await differences(below, tarOf(root, file('tmp/x'), file('data/x')))).toEqual([
      '/tmp: mode is 1777 and 755',
      '/tmp: modtime is "1577836800" and "none"',
      '/data: mode is 700 and 755',
      '/data: uid is 1000 and 0',
      '/data: modtime is "5" and "none"',
    ])
    expect(await differences(tarOf(dir('./', { mode: 0o711 })), tarOf(file('x')))).toEqual([
      '/: mode is 711 and 755',
      '/: modtime is "1577836800" and "none"',
    ])
  })

  it('do not differ in directories that are made when they are needed', async () => {
    expect(await differences(tarOf(file('a/b/x')), tarOf(file('a/y')))).toEqual([])
    expect(
      await differences(
        tarOf(root, dir('a', { mode: 0o700 })),
        tarOf(root, file('.wh.a')),
        tarOf(root, file('a/x')),
      ),
    ).toEqual([])
    expect(await differences(tarOf(root, dir('usr'), symlink('l', 'usr')), tarOf(root, file('l/x')))).toEqual(
      [],
    )
  })

  it('show opaque directories, and what is new in them, as the layers below have them', async () => {
    const below = tarOf(root, dir('a', { uid: 1 }), dir('a/b', { uid: 2 }))
    expect(await differences(below, tarOf(root, file('a/.wh..wh..opq'), file('a/b/x')))).toEqual([
      '/a: uid is 1 and 0',
      '/a: modtime is "1577836800" and "none"',
      '/a/b: uid is 2 and 0',
      '/a/b: modtime is "1577836800" and "none"',
    ])
  })

  it('show times to the second', async () => {
    const at = (mtime: string) => tarOf(root, file('x', '', { pax: { mtime } }))
    expect(compareTrees(await tree(at('5.4')), await shown('lazy', at('5')))).toEqual([])
    expect(compareTrees(await tree(at('5.5')), await shown('lazy', at('5')))).toEqual([
      '/x: modtime is "6" and "5"',
    ])
  })
})
