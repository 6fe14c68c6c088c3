import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { layerOf } from '../../test/support/layer-listing.ts'
import { missingDirectories, WalkOrder } from './missing-directories.ts'

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

it('the order of a walk tells the same, where it tells anything', () => {
  const name = fc.array(fc.constantFrom('a', 'b', 'a.c'), { minLength: 1, maxLength: 4 })
  const entry = fc.record({ name: name.map((parts) => parts.join('/')), isDirectory: fc.boolean() })
  const sorted = (names: string[]) => names.toSorted((a, b) => (a.split('/') < b.split('/') ? -1 : 1))
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 12 }), fc.boolean(), (entries, inOrder) => {
      const texts = entries.map(({ name, isDirectory }) => (isDirectory ? `${name}/` : name))
      const layer = layerOf(...(inOrder ? sorted(texts) : texts))
      const order = new WalkOrder()
      for (const { name, type } of layer) order.take(name, type)
      if (order.missing) expect(order.missing).toEqual(missingDirectories(layer, free))
    }),
    { numRuns: 2000 },
  )
})

it('a walk of a tree is known by its order', () => {
  const order = new WalkOrder()
  for (const { name, type } of layerOf('a/', 'a/b/', 'a/b/c', 'a/d', 'a/e/', 'a/f->e', 'b', 'c/', 'c/d')) {
    order.take(name, type)
  }
  expect(order.missing).toEqual([''])
  order.take('', 'dir')
  expect(order.missing).toEqual([])
  order.take('c/e/f', 'reg')
  expect(order.missing).toBeUndefined()
})
