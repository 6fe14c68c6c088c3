import { expect, it } from 'vitest'
import { layerOf } from '../../test/support/layer-listing.ts'
import { namesIn } from '../../test/support/tree-names.ts'
import { MergedView } from './merged-view.ts'

const free = { spend: () => {} }
const view = (...layers: string[][]) =>
  new MergedView(
    layers.map((names) => layerOf(...names)),
    free,
  )
const names = (...layers: string[][]) => namesIn(view(...layers)).sort()

const base = ['d/', 'd/a', 'd/b', 'd/e/', 'd/e/f', 'x']

it('takes away what whiteouts name, with everything below', () => {
  expect(names(base, ['d/.wh.e', '.wh.x'])).toEqual(['d', 'd/a', 'd/b'])
})

it('empties opaque directories of lower layers only, wherever the whiteout stands', () => {
  expect(names(base, ['d/new', 'd/.wh..wh..opq'])).toEqual(['d', 'd/new', 'x'])
  expect(names(base, ['.wh..wh..opq', 'new'])).toEqual(['new'])
})

it("passes over aufs's own names", () => {
  expect(names(['.wh.plnk', 'a'], ['.wh..wh.plnk', '.wh..wh.aufs'])).toEqual(['a'])
})

it('applies whiteouts behind symlinks to directories', () => {
  expect(names(['d/', 'd/a', 'l->d'], ['l/.wh.a', 'l/b'])).toEqual(['d', 'd/b', 'l'])
})

it('replaces names, and directories by what is none', () => {
  expect(names(base, ['d', 'x'])).toEqual(['d', 'x'])
})

it('keeps nothing of a directory that the layer itself replaced in between', () => {
  expect(names(['d/', 'd/old', 'd', 'd/', 'd/new'])).toEqual(['d', 'd/new'])
})

it('leaves out what eStargz adds, and only at the root', () => {
  const added = ['.prefetch.landmark', '.no.prefetch.landmark', 'stargz.index.json']
  expect(names([...added, 'a', 'd/', 'd/stargz.index.json'])).toEqual(['a', 'd', 'd/stargz.index.json'])
})

it('knows of a hard link the entry that it was made for, also after another took the name', () => {
  expect(view(['a', 'l>a', 'a']).withLinkTargets(0, 1)).toEqual([0, 1])
  expect(view(['l>a', 'a', 'a']).withLinkTargets(0, 0)).toEqual([1, 0])
  expect(view(['l>m', 'm>l', 'k>none']).withLinkTargets(0, 0)).toEqual([1, 0])
})

it('tells what an entry is, through hard links', () => {
  const all = view(['d/', 'd/f', 's->d', 'h>s', 'i/j'])
  const types = ['d', 'd/f', 's', 'h', 'i'].map((name) => all.typeOf(all.named(name) ?? -1))
  expect(types).toEqual(['dir', 'reg', 'symlink', 'symlink', 'dir'])
  expect(all.refOf(all.named('i') ?? -1)).toBeUndefined()
})

it('takes steps for the directories that names imply, which cost memory', () => {
  let taken = 0
  const spend = (steps: number) => {
    taken += steps
  }
  new MergedView([layerOf(`${'a/'.repeat(1000)}f`)], { spend })
  expect(taken).toBeGreaterThan(200_000)
})
