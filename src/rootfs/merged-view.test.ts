import { expect, it } from 'vitest'
import { createListing } from '../../test/support/images/layer-listing.ts'
import { listTreeNames } from '../../test/support/images/tree-names.ts'
import { MergedView } from './merged-view.ts'

const free = { spend: () => {} }
const view = (...layers: string[][]) =>
  new MergedView(
    layers.map((names) => createListing(...names)),
    free,
  )
const names = (...layers: string[][]) => listTreeNames(view(...layers)).sort()

const base = ['d/', 'd/a', 'd/b', 'd/e/', 'd/e/f', 'x']

it('removes what whiteouts name, with everything below', () => {
  expect(names(base, ['d/.wh.e', '.wh.x'])).toEqual(['d', 'd/a', 'd/b'])
})

it('empties opaque directories of lower layers only, wherever in the layer the whiteout is', () => {
  expect(names(base, ['d/new', 'd/.wh..wh..opq'])).toEqual(['d', 'd/new', 'x'])
  expect(names(base, ['.wh..wh..opq', 'new'])).toEqual(['new'])
})

it('ignores names that aufs reserves', () => {
  expect(names(['.wh.plnk', 'a'], ['.wh..wh.plnk', '.wh..wh.aufs'])).toEqual(['a'])
})

it('applies whiteouts behind symlinks to directories', () => {
  expect(names(['d/', 'd/a', 'l->d'], ['l/.wh.a', 'l/b'])).toEqual(['d', 'd/b', 'l'])
})

it('replaces names, also directories by files', () => {
  expect(names(base, ['d', 'x'])).toEqual(['d', 'x'])
})

it('keeps nothing of a directory that the layer itself replaced in between', () => {
  expect(names(['d/', 'd/old', 'd', 'd/', 'd/new'])).toEqual(['d', 'd/new'])
})

it('omits what eStargz adds, at the root only', () => {
  const added = ['.prefetch.landmark', '.no.prefetch.landmark', 'stargz.index.json']
  expect(names([...added, 'a', 'd/', 'd/stargz.index.json'])).toEqual(['a', 'd', 'd/stargz.index.json'])
})

it('resolves a hard link to the entry it was created for, also after another entry took the name', () => {
  expect(view(['a', 'l>a', 'a']).hardLinkChain(0, 1)).toEqual([0, 1])
  expect(view(['l>a', 'a', 'a']).hardLinkChain(0, 0)).toEqual([1, 0])
  expect(view(['l>m', 'm>l', 'k>none']).hardLinkChain(0, 0)).toEqual([1, 0])
})

it('returns the type of a node, through hard links', () => {
  const all = view(['d/', 'd/f', 's->d', 'h>s', 'i/j'])
  const types = ['d', 'd/f', 's', 'h', 'i'].map((name) => all.typeOf(all.lookUp(name) ?? -1))
  expect(types).toEqual(['dir', 'reg', 'symlink', 'symlink', 'dir'])
  expect(all.refOf(all.lookUp('i') ?? -1)).toBeUndefined()
})

it('spends steps for implied directories, which cost memory', () => {
  let spent = 0
  const spend = (steps: number) => {
    spent += steps
  }
  new MergedView([createListing(`${'a/'.repeat(1000)}f`)], { spend })
  expect(spent).toBeGreaterThan(200_000)
})

it('throws when it is used after it was released', () => {
  const released = view(base)
  released.release()
  expect(() => released.lookUp('d/a')).toThrow('the file tree was used after it was released')
  expect(() => released.entryOf(0, 'd/a')).toThrow('the name table was used after it was released')
  expect(() => released.hardLinkChain(0, 1)).toThrow('the merged view was used after it was released')
})

it('keeps everything but the names of single layers when only those are released', () => {
  const all = view(base)
  all.releaseNames()
  expect(all.lookUp('d/a')).toBeDefined()
  expect(() => all.isInSomeLayer('d/a')).toThrow('the name table was used after it was released')
  expect(() => all.release()).not.toThrow()
})
