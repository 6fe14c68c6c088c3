import { describe, expect, it } from 'vitest'
import type { ListedEntry } from '../../rootfs/layer-listing.ts'
import { type Arrangement, arrange } from './arrange.ts'

/** Entries by name: `d/` is a directory, `a>b` a hard link, anything else a file. */
function entriesOf(...names: string[]): ListedEntry[] {
  return names.map((text) => {
    const [name = '', linkName] = text.split('>')
    if (linkName !== undefined) return { name, type: 'hardlink', linkName }
    return name.endsWith('/') ? { name: name.slice(0, -1), type: 'dir' } : { name, type: 'reg' }
  })
}

function arranged(
  names: string[],
  prioritized: string[],
): { front: string[]; rest: string[]; result: Arrangement } {
  const result = arrange(entriesOf(...names), prioritized)
  expect([...result.order].sort((a, b) => a - b)).toEqual([...names.keys()])
  const sorted = result.order.map((i) => names[i] ?? '')
  return { front: sorted.slice(0, result.landmarkAfter), rest: sorted.slice(result.landmarkAfter), result }
}

describe('arrange', () => {
  it('keeps the source order when nothing is placed', () => {
    const { front, result } = arranged(['b', 'a'], ['missing'])
    expect(front).toEqual(['b', 'a'])
    expect(result).toMatchObject({ landmark: 'no-prefetch', landmarkAfter: 2, placed: [] })
    expect(arranged([], []).result.order).toEqual([])
  })

  it('puts prioritized entries first, in access order, once, after their directories', () => {
    const { front, rest, result } = arranged(
      ['/', 'etc/', 'etc/a', 'usr/', 'usr/bin/', 'usr/bin/b', 'c'],
      ['usr/bin/b', './etc/a', '/usr/bin/b', 'nothing'],
    )
    expect(front).toEqual(['/', 'usr/', 'usr/bin/', 'usr/bin/b', 'etc/', 'etc/a'])
    expect(rest).toEqual(['c'])
    expect(result).toMatchObject({ landmark: 'prefetch', placed: ['usr/bin/b', 'etc/a'] })
  })

  it('puts the target of a hard link and its directories before the link, before or after it in the source', () => {
    expect(arranged(['x/', 'd/', 'd/t', 'x/l>d/t', 'z'], ['x/l']).front).toEqual([
      'x/',
      'd/',
      'd/t',
      'x/l>d/t',
    ])
    expect(arranged(['l>./t', 't', 'z'], ['l']).front).toEqual(['t', 'l>./t'])
    expect(arranged(['t', 'm>t', 'l>m'], ['l']).front).toEqual(['t', 'm>t', 'l>m'])
  })

  it('names the hard links that lead nowhere or round in circles', () => {
    const error = (names: string[]) => {
      try {
        return arranged(names, [])
      } catch (caught) {
        return caught
      }
    }
    expect(error(['a>b', 'b>a'])).toMatchObject({ code: 'HARD_LINK_CYCLE', entry: 'a' })
    expect(error(['a>a'])).toMatchObject({ code: 'HARD_LINK_CYCLE', entry: 'a' })
    expect(error(['ok', 'a>b'])).toMatchObject({ code: 'HARD_LINK_TARGET', entry: 'a' })
    expect(error(['d/', 'a>d'])).toMatchObject({ code: 'HARD_LINK_TARGET', entry: 'a' })
  })

  it('follows chains of hard links of any length', () => {
    const names = ['t', ...Array.from({ length: 50_000 }, (_, i) => `l${i}>${i === 0 ? 't' : `l${i - 1}`}`)]
    expect(arranged(names, ['l49999']).front).toEqual(names)
  })

  it('keeps what a later entry of the same name replaces, and its links, before it', () => {
    expect(arranged(['a', 'x', 'l>a', 'a', 'z'], ['a']).front).toEqual(['a', 'l>a', 'a'])
    expect(arranged(['d/', 'd/x', 'y', 'd', 'z'], ['d']).front).toEqual(['d/', 'd/x', 'd'])
    expect(arranged(['l>a', 'a', 'a'], ['l']).front).toEqual(['a', 'l>a'])
  })

  it('keeps whiteouts before what comes after them, and places none by name', () => {
    expect(arranged(['x', '.wh.d', 'd/', 'd/.wh..wh..opq', 'd/.wh.f', 'd/f'], ['d/f']).front).toEqual([
      '.wh.d',
      'd/',
      'd/.wh..wh..opq',
      'd/.wh.f',
      'd/f',
    ])
    expect(arranged(['.wh.d', 'd/', 'd/f'], ['d/f']).front).toEqual(['.wh.d', 'd/', 'd/f'])
    expect(arranged(['.wh.d', 'x'], ['.wh.d']).result.placed).toEqual([])
  })
})
