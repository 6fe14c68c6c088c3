import { describe, expect, it } from 'vitest'
import {
  buildTar,
  dir,
  type EntryAttributes,
  file,
  hardlink,
  symlink,
} from '../../../test/support/images/build-tar.ts'
import { splitIntoPieces } from '../../../test/support/images/convert-layer.ts'
import { DEFAULT_LAYER_LIMITS } from '../../tar/layer-limits.ts'
import { readArchiveMetadata } from '../index/archive-metadata.ts'
import { compareTrees } from './compare-trees.ts'
import type { MountMode } from './layer-view.ts'
import { RootfsTree } from './rootfs-tree.ts'

const mount = async (mode: MountMode, ...layers: Buffer[]) =>
  new RootfsTree(
    await Promise.all(
      layers.map((layer) => readArchiveMetadata(splitIntoPieces(layer), DEFAULT_LAYER_LIMITS)),
    ),
    mode,
    DEFAULT_LAYER_LIMITS,
  )
const tree = (...layers: Buffer[]) => mount('pulled', ...layers)

describe('RootTree', () => {
  it('gives hard links one file, also if a later entry took its first name', async () => {
    const merged = await tree(buildTar(file('a', 'old'), hardlink('l', 'a'), file('a', 'newer')))
    const sizeOf = (name: string) => merged.entryOf(merged.view.lookUp(name) ?? -1)?.size
    expect([sizeOf('l'), sizeOf('a')]).toEqual([3, 5])
  })

  it('rejects names that imply more directories than a layer may have entries', async () => {
    const deep = buildTar(file(`${'d/'.repeat(500)}f`))
    const metadata = await readArchiveMetadata(splitIntoPieces(deep), DEFAULT_LAYER_LIMITS)
    expect(() => new RootfsTree([metadata], 'pulled', { maxEntries: 100 })).toThrow(
      'RECORD_BROKER_MAX_ENTRIES',
    )
    expect(new RootfsTree([metadata], 'pulled', { maxEntries: 1000 }).linkedFiles().size).toBe(0)
  })
})

describe('compareTrees', () => {
  const oneFile = (attributes: EntryAttributes = {}, content = 'x') =>
    buildTar(file('a', content, attributes))

  it.each<[string, Buffer]>([
    ['size', oneFile({}, 'xx')],
    ['digest', oneFile({}, 'y')],
    ['mode', oneFile({ mode: 0o600 })],
    ['uid', oneFile({ uid: 1 })],
    ['gname', oneFile({ gname: 'wheel' })],
    ['modtime', oneFile({ mtime: 5 })],
    ['modtime', oneFile({ pax: { mtime: '1577836800.5' } })],
    ['extended attribute user.k', oneFile({ pax: { 'SCHILY.xattr.user.k': Buffer.from([0xff]) } })],
    ['type', buildTar(dir('a'))],
    ['linkName', buildTar(symlink('a', 'b'))],
    ['/b: only in the result', buildTar(file('a', 'x'), file('b'))],
    ['/a: only in the source', buildTar()],
  ])('reports a different %s', async (expected, other) => {
    const differences = compareTrees(await tree(oneFile()), await tree(other))
    expect(differences.join('\n')).toContain(expected)
  })

  it('compares which names share a file, whichever of them comes first in the archive', async () => {
    const two = await tree(buildTar(file('a', 'x'), hardlink('b', 'a')))
    expect(compareTrees(two, await tree(buildTar(file('b', 'x'), hardlink('a', 'b'))))).toEqual([])
    expect(compareTrees(two, await tree(buildTar(file('a', 'x'), file('b', 'x'))))).toHaveLength(1)
  })

  it('reports missing files below a directory, in either tree', async () => {
    const [large, small] = [await tree(buildTar(dir('d'), file('d/a'))), await tree(buildTar())]
    expect(compareTrees(large, small)).toEqual(['/d: only in the source', '/d/a: only in the source'])
    expect(compareTrees(small, large)).toEqual(['/d: only in the result', '/d/a: only in the result'])
  })

  it('reports a bounded number of differences', async () => {
    const many = await tree(buildTar(...Array.from({ length: 80 }, (_, i) => file(`f${i}`))))
    const differences = compareTrees(many, await tree(buildTar()))
    expect(differences).toHaveLength(51)
    expect(differences.at(-1)).toBe('and 30 more')
  })

  it('shortens long names and values', async () => {
    const long = (end: string) => 'x'.repeat(3000) + end
    const attribute = { [`SCHILY.xattr.user.${long('')}`]: 'v' }
    const a = await tree(buildTar(symlink('l', long('1')), file('f', '', { pax: attribute })))
    const b = await tree(buildTar(symlink('l', long('2')), file('f', '')))
    const lines = compareTrees(a, b)
    expect(lines).toHaveLength(2)
    for (const line of lines) expect(line.length).toBeLessThan(500)
  })
})

describe('a pull and a lazy reader', () => {
  const root = dir('./')
  const differences = async (...layers: Buffer[]) =>
    compareTrees(await mount('pulled', ...layers), await mount('lazy', ...layers))

  it('show the same files if each layer has an entry for each directory', async () => {
    expect(
      await differences(buildTar(root, dir('a', { mode: 0o700 })), buildTar(root, dir('a'), file('a/x'))),
    ).toEqual([])
  })

  it('differ in directories that the reader invents', async () => {
    const below = buildTar(
      root,
      dir('tmp', { mode: 0o1777 }),
      dir('data', { mode: 0o700, uid: 1000, mtime: 5 }),
    )
    expect(await differences(below, buildTar(root, file('tmp/x'), file('data/x')))).toEqual([
      '/tmp: mode is 1777 in the source, 755 in the result',
      '/tmp: modtime is "1577836800" in the source, "none" in the result',
      '/data: mode is 700 in the source, 755 in the result',
      '/data: uid is 1000 in the source, 0 in the result',
      '/data: modtime is "5" in the source, "none" in the result',
    ])
    expect(await differences(buildTar(dir('./', { mode: 0o711 })), buildTar(file('x')))).toEqual([
      '/: mode is 711 in the source, 755 in the result',
      '/: modtime is "1577836800" in the source, "none" in the result',
    ])
  })

  it('do not differ in directories that the runtime invents too', async () => {
    expect(await differences(buildTar(file('a/b/x')), buildTar(file('a/y')))).toEqual([])
    expect(
      await differences(
        buildTar(root, dir('a', { mode: 0o700 })),
        buildTar(root, file('.wh.a')),
        buildTar(root, file('a/x')),
      ),
    ).toEqual([])
    expect(
      await differences(buildTar(root, dir('usr'), symlink('l', 'usr')), buildTar(root, file('l/x'))),
    ).toEqual([])
  })

  it('differ in opaque directories and in new directories in them, which keep the attributes from the layers below', async () => {
    const below = buildTar(root, dir('a', { uid: 1 }), dir('a/b', { uid: 2 }))
    expect(await differences(below, buildTar(root, file('a/.wh..wh..opq'), file('a/b/x')))).toEqual([
      '/a: uid is 1 in the source, 0 in the result',
      '/a: modtime is "1577836800" in the source, "none" in the result',
      '/a/b: uid is 2 in the source, 0 in the result',
      '/a/b: modtime is "1577836800" in the source, "none" in the result',
    ])
  })

  it('show times to the second', async () => {
    const fileWithTime = (mtime: string) => buildTar(root, file('x', '', { pax: { mtime } }))
    expect(compareTrees(await tree(fileWithTime('5.4')), await mount('lazy', fileWithTime('5')))).toEqual([])
    expect(compareTrees(await tree(fileWithTime('5.5')), await mount('lazy', fileWithTime('5')))).toEqual([
      '/x: modtime is "6" in the source, "5" in the result',
    ])
  })
})
