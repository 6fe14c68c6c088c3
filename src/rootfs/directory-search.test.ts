import { describe, expect, it } from 'vitest'
import { layerOf } from '../../test/support/layer-listing.ts'
import { DirectorySearch } from './directory-search.ts'
import { missingDirectories } from './missing-directories.ts'

/** What the topmost of layers gets, lowest first: `name`, and behind `=` the layer that says what it is like. */
function wanted(...layers: string[][]): string[] {
  const [own = [], ...lower] = layers.map((entries) => layerOf(...entries)).reverse()
  const search = new DirectorySearch(
    missingDirectories(own, () => {}),
    own,
  )
  for (const layer of lower) search.ask(layer)
  return search.finish().map(({ name, like }) => {
    const entry = like && lower[like.layer]?.[like.entry]
    if (!like) return `/${name}`
    expect(entry).toEqual({ name, type: 'dir' })
    return `/${name}=${lower.length - 1 - like.layer}`
  })
}

describe('a directory that a layer has no entry of', () => {
  it('is what the nearest lower layer with an entry of it says', () => {
    expect(wanted(['/', 'a/', 'a/b/'], ['a/'], ['a/b/x'])).toEqual(['/=0', '/a=1', '/a/b=0'])
  })

  it('is what the last entry says, where a layer has several', () => {
    const own = layerOf('/', 'a/x')
    const search = new DirectorySearch(['a'], own)
    search.ask(layerOf('a/', 'x', 'a/'))
    expect(search.isOver).toBe(true)
    expect(search.finish()).toEqual([{ name: 'a', like: { layer: 0, entry: 2 } }])
  })

  it('is looked for below a layer that has no entry of it either', () => {
    expect(wanted(['/', 'a/'], ['/', 'a/x'], ['/', 'a/y'])).toEqual(['/a=0'])
  })

  it('is like nothing where no layer has it', () => {
    expect(wanted(['a/b/x'])).toEqual(['/', '/a', '/a/b'])
    expect(wanted(['/', 'x'], ['/', 'a/b'])).toEqual(['/a'])
  })

  it('is none where something else lies below, with all below it', () => {
    expect(wanted(['/', 'lib/', 'usr/', 'usr/lib/'], ['lib->usr/lib'], ['/', 'lib/a/b'])).toEqual([])
    expect(wanted(['/', 'a'], ['/', 'a/b/c', 'a/b/c/d/e'])).toEqual([])
    expect(wanted(['/', 'a->b'], ['/', 'x'], ['/', 'a/', 'a/b/c'])).toEqual(['/a/b'])
  })

  it('is none where a layer put something else in its place later', () => {
    expect(wanted(['/', 'a/', 'a/b/', 'a/b/c/', 'a'], ['/', 'a/b/c/d'])).toEqual([])
    expect(wanted(['/', 'a/', 'a/b/', 'a', 'a/'], ['/', 'a/b/c'])).toEqual(['/a=0', '/a/b'])
  })

  it('is new behind a whiteout of it', () => {
    expect(wanted(['/', 'a/', 'a/b/'], ['.wh.a'], ['/', 'a/b/x'])).toEqual(['/a', '/a/b'])
    expect(wanted(['/', 'a/', 'a/b/'], ['a/.wh.b'], ['/', 'a/b/x'])).toEqual(['/a=0', '/a/b'])
    expect(wanted(['/', 'lib->usr'], ['.wh.lib'], ['/', 'lib/x'])).toEqual(['/lib'])
  })

  it('is new behind a whiteout of one above it', () => {
    expect(wanted(['/', 'a/', 'a/b/', 'a/b/c/'], ['.wh.a'], ['/', 'a/', 'a/b/c/x'])).toEqual([
      '/a/b',
      '/a/b/c',
    ])
  })

  it('is new behind a whiteout in its own layer', () => {
    expect(wanted(['/', 'a/', 'a/b/'], ['/', 'a/b/x', '.wh.a'])).toEqual(['/a', '/a/b'])
    expect(wanted(['/', 'a/', 'a/b/'], ['/', 'a/', 'a/.wh.b', 'a/b/x'])).toEqual(['/a/b'])
  })

  it('is what a layer put in the place of what it took away', () => {
    expect(wanted(['/', 'a/', 'a/b/'], ['.wh.a', 'a/', 'a/c/'], ['/', 'a/b/x', 'a/c/x'])).toEqual([
      '/a=1',
      '/a/b',
      '/a/c=1',
    ])
  })

  it('is what it is, however opaque', () => {
    const below = ['/', 'a/', 'a/b/']
    expect(wanted(below, ['/', 'a/', 'a/.wh..wh..opq'], ['/', 'a/b/x'])).toEqual(['/a=1', '/a/b=0'])
    expect(wanted(below, ['/', 'a/.wh..wh..opq'], ['/', 'a/b/x'])).toEqual(['/a=0', '/a/b=0'])
    expect(wanted(below, ['/', 'a/.wh..wh..opq', 'a/b/x'])).toEqual(['/a=0', '/a/b=0'])
    expect(wanted(below, ['.wh..wh..opq', 'c/', 'a/b/x'])).toEqual(['/=0', '/a=0', '/a/b=0'])
  })

  it('is not looked for behind the names of what aufs keeps', () => {
    expect(wanted(['/', 'plnk/'], ['.wh..wh.plnk'], ['/', 'plnk/x'])).toEqual(['/plnk=0'])
  })
})
