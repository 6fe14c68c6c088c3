import { describe, expect, it } from 'vitest'
import type { ListedEntry } from '../../rootfs/layer-listing.ts'
import { type Arrangement, arrangeEntries } from './arrange-entries.ts'

/** Creates entries from names: `d/` is a directory, `a>b` a hard link to `b`, anything else a file. */
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
): { front: string[]; afterLandmark: string[]; result: Arrangement } {
  const result = arrangeEntries(entriesOf(...names), prioritized)
  expect([...result.order].sort((a, b) => a - b)).toEqual([...names.keys()])
  const ordered = result.order.map((i) => names[i] ?? '')
  const { landmarkIndex } = result
  return { front: ordered.slice(0, landmarkIndex), afterLandmark: ordered.slice(landmarkIndex), result }
}

describe('arrangeEntries', () => {
  it('keeps the source order without prioritized entries', () => {
    const { front, result } = arranged(['b', 'a'], ['missing'])
    expect(front).toEqual(['b', 'a'])
    expect(result).toMatchObject({ landmark: 'no-prefetch', landmarkIndex: 2, prioritizedNames: [] })
    expect(arranged([], []).result.order).toEqual([])
  })

  it('moves prioritized entries to the front in access order, once each, after their directories', () => {
    const { front, afterLandmark, result } = arranged(
      ['/', 'etc/', 'etc/a', 'usr/', 'usr/bin/', 'usr/bin/b', 'c'],
      ['usr/bin/b', './etc/a', '/usr/bin/b', 'nothing'],
    )
    expect(front).toEqual(['/', 'usr/', 'usr/bin/', 'usr/bin/b', 'etc/', 'etc/a'])
    expect(afterLandmark).toEqual(['c'])
    expect(result).toMatchObject({ landmark: 'prefetch', prioritizedNames: ['usr/bin/b', 'etc/a'] })
  })

  it('moves the target of a hard link and its directories before the link, wherever they are in the source', () => {
    expect(arranged(['x/', 'd/', 'd/t', 'x/l>d/t', 'z'], ['x/l']).front).toEqual([
      'x/',
      'd/',
      'd/t',
      'x/l>d/t',
    ])
    expect(arranged(['l>./t', 't', 'z'], ['l']).front).toEqual(['t', 'l>./t'])
    expect(arranged(['t', 'm>t', 'l>m'], ['l']).front).toEqual(['t', 'm>t', 'l>m'])
  })

  it('rejects hard links without a target or in a cycle', () => {
    const errorOf = (names: string[]) => {
      try {
        return arranged(names, [])
      } catch (caught) {
        return caught
      }
    }
    expect(errorOf(['a>b', 'b>a'])).toMatchObject({ code: 'HARD_LINK_CYCLE', entry: 'a' })
    expect(errorOf(['a>a'])).toMatchObject({ code: 'HARD_LINK_CYCLE', entry: 'a' })
    expect(errorOf(['ok', 'a>b'])).toMatchObject({ code: 'HARD_LINK_TARGET', entry: 'a' })
    expect(errorOf(['d/', 'a>d'])).toMatchObject({ code: 'HARD_LINK_TARGET', entry: 'a' })
  })

  it('follows chains of hard links of any length', () => {
    const names = ['t', ...Array.from({ length: 50_000 }, (_, i) => `l${i}>${i === 0 ? 't' : `l${i - 1}`}`)]
    expect(arranged(names, ['l49999']).front).toEqual(names)
  })

  it('keeps entries that a later entry of the same name replaces, and links to them, before it', () => {
    expect(arranged(['a', 'x', 'l>a', 'a', 'z'], ['a']).front).toEqual(['a', 'l>a', 'a'])
    expect(arranged(['d/', 'd/x', 'y', 'd', 'z'], ['d']).front).toEqual(['d/', 'd/x', 'd'])
    expect(arranged(['l>a', 'a', 'a'], ['l']).front).toEqual(['a', 'l>a'])
  })

  it('keeps whiteouts before the entries after them, and never prioritizes one by name', () => {
    expect(arranged(['x', '.wh.d', 'd/', 'd/.wh..wh..opq', 'd/.wh.f', 'd/f'], ['d/f']).front).toEqual([
      '.wh.d',
      'd/',
      'd/.wh..wh..opq',
      'd/.wh.f',
      'd/f',
    ])
    expect(arranged(['.wh.d', 'd/', 'd/f'], ['d/f']).front).toEqual(['.wh.d', 'd/', 'd/f'])
    expect(arranged(['.wh.d', 'x'], ['.wh.d']).result.prioritizedNames).toEqual([])
  })
})
