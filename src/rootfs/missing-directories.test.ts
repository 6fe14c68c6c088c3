import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createListing } from '../../test/support/images/layer-listing.ts'
import { findMissingDirectories, MissingDirectoryFinder } from './missing-directories.ts'

const free = () => {}
const missing = (...entries: string[]) => findMissingDirectories(createListing(...entries), free)

describe('missing directories', () => {
  it('are the parents of entries without an entry of their own, and the root', () => {
    expect(missing('/', 'a/', 'a/b')).toEqual([])
    expect(missing()).toEqual([''])
    expect(missing('x')).toEqual([''])
    expect(missing('/', 'a/b/c/d', 'a/b/')).toEqual(['a', 'a/b/c'])
    expect(missing('b/.wh.x', 'a/.wh..wh..opq')).toEqual(['', 'a', 'b'])
  })

  it('come each after those above it, in any order of the entries', () => {
    expect(missing('z/y/x', 'a-b/c', 'a/b/c')).toEqual(['', 'a', 'a-b', 'a/b', 'z', 'z/y'])
    expect(missing('/', 'a/b', 'a/')).toEqual([])
  })

  it('do not exist below something that is not a directory', () => {
    expect(missing('/', 'lib->usr/lib', 'lib/x/y')).toEqual([])
    expect(missing('/', 'a/', 'a/b/', 'a/b/c/d', 'a/b')).toEqual([])
  })

  it('are those of names that are effective at the end', () => {
    expect(missing('/', 'a/', 'a/b/', 'a', 'a/', 'a/b/c')).toEqual(['a/b'])
    expect(missing('/', 'a/', 'a/b/c', 'a')).toEqual([])
  })

  it('use no more memory than allowed', () => {
    let bytes = 0
    const countBytes = (added: number) => {
      bytes += added
      if (bytes > 1000) throw new RangeError('too many bytes')
    }
    expect(() => findMissingDirectories(createListing(`${'a/'.repeat(100)}x`), countBytes)).toThrow(
      'too many bytes',
    )
  })
})

it('are found while entries are read, in any order', () => {
  const name = fc.array(fc.constantFrom('a', 'b', 'a.c'), { minLength: 1, maxLength: 4 })
  const entry = fc.record({ name: name.map((parts) => parts.join('/')), isDirectory: fc.boolean() })
  const sorted = (names: string[]) => names.toSorted((a, b) => (a.split('/') < b.split('/') ? -1 : 1))
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 12 }), fc.boolean(), (entries, inOrder) => {
      const texts = entries.map(({ name, isDirectory }) => (isDirectory ? `${name}/` : name))
      const layer = createListing(...(inOrder ? sorted(texts) : texts))
      const finder = new MissingDirectoryFinder(free)
      for (const { name, type } of layer) finder.add(name, type)
      expect(finder.finish(layer)).toEqual(findMissingDirectories(layer, free))
    }),
    { numRuns: 5000 },
  )
})

it('are found without reading entries again if the writer walked a tree', () => {
  for (const entries of [
    ['a/', 'a/b/', 'a/b/c', 'a/d', 'a/e/', 'a/f->e', 'b', 'c/', 'c/d'],
    ['x', '/'],
  ]) {
    const layer = createListing(...entries)
    const finder = new MissingDirectoryFinder(free)
    for (const { name, type } of layer) finder.add(name, type)
    const unreadable = { length: layer.length, at: () => expect.fail('it read an entry again') }
    expect(finder.finish(unreadable)).toEqual(entries.includes('/') ? [] : [''])
  }
})

it('are found in archives of any length', () => {
  const names = Array.from({ length: 5000 }, (_, i) => `d${i % 7}/${i % 3 === 0 ? 'x' : 'y'}/${i}`)
  const layer = createListing(...names, 'd1/', 'd1/x/', '/')
  const finder = new MissingDirectoryFinder(free)
  for (const { name, type } of layer) finder.add(name, type)
  expect(finder.finish(layer)).toEqual(findMissingDirectories(layer, free))
})
