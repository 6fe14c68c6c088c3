import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { layerOf } from '../../test/support/layer-listing.ts'
import { DirectoryWalk, missingDirectories } from './missing-directories.ts'

const free = () => {}
const missing = (...entries: string[]) => missingDirectories(layerOf(...entries), free)

describe('missing directories', () => {
  it('are those above entries that have no entry, and the root', () => {
    expect(missing('/', 'a/', 'a/b')).toEqual([])
    expect(missing()).toEqual([''])
    expect(missing('x')).toEqual([''])
    expect(missing('/', 'a/b/c/d', 'a/b/')).toEqual(['a', 'a/b/c'])
    expect(missing('b/.wh.x', 'a/.wh..wh..opq')).toEqual(['', 'a', 'b'])
  })

  it('come each after those above it, wherever their entries would stand', () => {
    expect(missing('z/y/x', 'a-b/c', 'a/b/c')).toEqual(['', 'a', 'a-b', 'a/b', 'z', 'z/y'])
    expect(missing('/', 'a/b', 'a/')).toEqual([])
  })

  it('are none below what is no directory', () => {
    expect(missing('/', 'lib->usr/lib', 'lib/x/y')).toEqual([])
    expect(missing('/', 'a/', 'a/b/', 'a/b/c/d', 'a/b')).toEqual([])
  })

  it('are those of names that stand at the end', () => {
    expect(missing('/', 'a/', 'a/b/', 'a', 'a/', 'a/b/c')).toEqual(['a/b'])
    expect(missing('/', 'a/', 'a/b/c', 'a')).toEqual([])
  })

  it('take no more memory than they may', () => {
    let bytes = 0
    const count = (more: number) => {
      bytes += more
      if (bytes > 1000) throw new RangeError('too many bytes')
    }
    expect(() => missingDirectories(layerOf(`${'a/'.repeat(100)}x`), count)).toThrow('too many bytes')
  })
})

it('are found while entries go by, whatever their order', () => {
  const name = fc.array(fc.constantFrom('a', 'b', 'a.c'), { minLength: 1, maxLength: 4 })
  const entry = fc.record({ name: name.map((parts) => parts.join('/')), isDirectory: fc.boolean() })
  const sorted = (names: string[]) => names.toSorted((a, b) => (a.split('/') < b.split('/') ? -1 : 1))
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 12 }), fc.boolean(), (entries, inOrder) => {
      const texts = entries.map(({ name, isDirectory }) => (isDirectory ? `${name}/` : name))
      const layer = layerOf(...(inOrder ? sorted(texts) : texts))
      const walk = new DirectoryWalk(free)
      for (const { name, type } of layer) walk.take(name, type)
      expect(walk.finish(layer)).toEqual(missingDirectories(layer, free))
    }),
    { numRuns: 5000 },
  )
})

it('are found without a look back where a tree was walked', () => {
  for (const entries of [
    ['a/', 'a/b/', 'a/b/c', 'a/d', 'a/e/', 'a/f->e', 'b', 'c/', 'c/d'],
    ['x', '/'],
  ]) {
    const layer = layerOf(...entries)
    const walk = new DirectoryWalk(free)
    for (const { name, type } of layer) walk.take(name, type)
    const never = { length: layer.length, at: () => expect.fail('it looked back') }
    expect(walk.finish(never)).toEqual(entries.includes('/') ? [] : [''])
  }
})

it('are found in archives of any length', () => {
  const names = Array.from({ length: 5000 }, (_, i) => `d${i % 7}/${i % 3 === 0 ? 'x' : 'y'}/${i}`)
  const layer = layerOf(...names, 'd1/', 'd1/x/', '/')
  const walk = new DirectoryWalk(free)
  for (const { name, type } of layer) walk.take(name, type)
  expect(walk.finish(layer)).toEqual(missingDirectories(layer, free))
})
