import { describe, expect, it } from 'vitest'
import { createListing } from '../../test/support/images/layer-listing.ts'
import { DirectorySearch } from './directory-search.ts'
import { findMissingDirectories } from './missing-directories.ts'

/**
 * The directories that the topmost of the layers (lowest first) gets: `name`, and after `=` the layer of the
 * template.
 */
function wantedIn(...layers: string[][]): string[] {
  const [own = [], ...lower] = layers.map((entries) => createListing(...entries)).reverse()
  const search = new DirectorySearch(
    findMissingDirectories(own, () => {}),
    own,
  )
  for (const layer of lower) search.searchLayer(layer)
  return search.finish().map(({ name, template }) => {
    const entry = template && lower[template.layer]?.[template.entry]
    if (!template) return `/${name}`
    expect(entry).toEqual({ name, type: 'dir' })
    return `/${name}=${lower.length - 1 - template.layer}`
  })
}

describe('a directory that a layer has no entry for', () => {
  it('gets its template from the nearest lower layer with an entry for it', () => {
    expect(wantedIn(['/', 'a/', 'a/b/'], ['a/'], ['a/b/x'])).toEqual(['/=0', '/a=1', '/a/b=0'])
  })

  it('gets its template from the last entry of a layer with several', () => {
    const own = createListing('/', 'a/x')
    const search = new DirectorySearch(['a'], own)
    search.searchLayer(createListing('a/', 'x', 'a/'))
    expect(search.isComplete).toBe(true)
    expect(search.finish()).toEqual([{ name: 'a', template: { layer: 0, entry: 2 } }])
  })

  it('is searched for below a layer that has no entry for it either', () => {
    expect(wantedIn(['/', 'a/'], ['/', 'a/x'], ['/', 'a/y'])).toEqual(['/a=0'])
  })

  it('has no template if no layer has it', () => {
    expect(wantedIn(['a/b/x'])).toEqual(['/', '/a', '/a/b'])
    expect(wantedIn(['/', 'x'], ['/', 'a/b'])).toEqual(['/a'])
  })

  it('gets no entry if a lower layer has something else at its path, and neither does anything below it', () => {
    expect(wantedIn(['/', 'lib/', 'usr/', 'usr/lib/'], ['lib->usr/lib'], ['/', 'lib/a/b'])).toEqual([])
    expect(wantedIn(['/', 'a'], ['/', 'a/b/c', 'a/b/c/d/e'])).toEqual([])
    expect(wantedIn(['/', 'a->b'], ['/', 'x'], ['/', 'a/', 'a/b/c'])).toEqual(['/a/b'])
  })

  it('gets no entry if a layer replaced it by something else later', () => {
    expect(wantedIn(['/', 'a/', 'a/b/', 'a/b/c/', 'a'], ['/', 'a/b/c/d'])).toEqual([])
    expect(wantedIn(['/', 'a/', 'a/b/', 'a', 'a/'], ['/', 'a/b/c'])).toEqual(['/a=0', '/a/b'])
  })

  it('has no template after a whiteout of it', () => {
    expect(wantedIn(['/', 'a/', 'a/b/'], ['.wh.a'], ['/', 'a/b/x'])).toEqual(['/a', '/a/b'])
    expect(wantedIn(['/', 'a/', 'a/b/'], ['a/.wh.b'], ['/', 'a/b/x'])).toEqual(['/a=0', '/a/b'])
    expect(wantedIn(['/', 'lib->usr'], ['.wh.lib'], ['/', 'lib/x'])).toEqual(['/lib'])
  })

  it('has no template after a whiteout of an ancestor', () => {
    expect(wantedIn(['/', 'a/', 'a/b/', 'a/b/c/'], ['.wh.a'], ['/', 'a/', 'a/b/c/x'])).toEqual([
      '/a/b',
      '/a/b/c',
    ])
  })

  it('has no template after a whiteout in its own layer', () => {
    expect(wantedIn(['/', 'a/', 'a/b/'], ['/', 'a/b/x', '.wh.a'])).toEqual(['/a', '/a/b'])
    expect(wantedIn(['/', 'a/', 'a/b/'], ['/', 'a/', 'a/.wh.b', 'a/b/x'])).toEqual(['/a/b'])
  })

  it('gets its template from a layer that removed and then added it', () => {
    expect(wantedIn(['/', 'a/', 'a/b/'], ['.wh.a', 'a/', 'a/c/'], ['/', 'a/b/x', 'a/c/x'])).toEqual([
      '/a=1',
      '/a/b',
      '/a/c=1',
    ])
  })

  it('gets its template through opaque whiteouts', () => {
    const below = ['/', 'a/', 'a/b/']
    expect(wantedIn(below, ['/', 'a/', 'a/.wh..wh..opq'], ['/', 'a/b/x'])).toEqual(['/a=1', '/a/b=0'])
    expect(wantedIn(below, ['/', 'a/.wh..wh..opq'], ['/', 'a/b/x'])).toEqual(['/a=0', '/a/b=0'])
    expect(wantedIn(below, ['/', 'a/.wh..wh..opq', 'a/b/x'])).toEqual(['/a=0', '/a/b=0'])
    expect(wantedIn(below, ['.wh..wh..opq', 'c/', 'a/b/x'])).toEqual(['/=0', '/a=0', '/a/b=0'])
  })

  it('is not affected by names that aufs reserves', () => {
    expect(wantedIn(['/', 'plnk/'], ['.wh..wh.plnk'], ['/', 'plnk/x'])).toEqual(['/plnk=0'])
  })
})
