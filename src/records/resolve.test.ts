import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../oci/digest.ts'
import type { RecordEntry } from './model.ts'
import { type LayerListing, resolveRecord } from './resolve.ts'

const manifestDigest = digestOf('this image')
const reg = (name: string) => ({ name, type: 'reg' })
const dir = (name: string) => ({ name, type: 'dir' })
const link = (name: string, linkName: string) => ({ name, type: 'symlink', linkName })
const hard = (name: string, linkName: string) => ({ name, type: 'hardlink', linkName })

function resolve(layers: LayerListing[], ...recorded: (string | RecordEntry)[]) {
  const entries = recorded.map((one) => (typeof one === 'string' ? { path: one } : one))
  return resolveRecord({ entries, layers, manifestDigest })
}

describe('a recorded path', () => {
  it('is taken from the topmost layer that has it', () => {
    const layers = [[reg('a'), reg('b')], [reg('a')]]
    expect(resolve(layers, 'b', 'a', 'b', 'c')).toEqual({
      prioritized: [['b'], ['a']],
      placed: 2,
      notFound: ['c'],
    })
  })

  it('is not found under whiteouts and opaque directories', () => {
    const layers = [
      [dir('d'), reg('d/hidden'), reg('gone'), dir('o'), reg('o/old')],
      [reg('d/.wh.hidden'), reg('.wh.gone'), dir('o'), reg('o/.wh..wh..opq'), reg('o/new')],
    ]
    expect(resolve(layers, 'd/hidden', 'gone', 'o/old', 'o/new', '.wh.gone')).toMatchObject({
      prioritized: [[], ['o/new']],
      notFound: ['d/hidden', 'gone', 'o/old', '.wh.gone'],
    })
  })

  it('leads through symlinks in every component, which come first', () => {
    const layers = [
      [dir('usr'), dir('usr/lib'), reg('usr/lib/libc.so.6.1')],
      [link('lib', 'usr/lib'), link('usr/lib/libc.so.6', './libc.so.6.1'), link('bin', '/usr/bin')],
      [dir('usr/bin'), link('usr/bin/sh', '../../usr/bin/dash'), reg('usr/bin/dash')],
    ]
    expect(resolve(layers, '/lib/libc.so.6', 'bin/sh')).toEqual({
      prioritized: [
        ['usr/lib/libc.so.6.1'],
        ['lib', 'usr/lib/libc.so.6', 'bin'],
        ['usr/bin/sh', 'usr/bin/dash'],
      ],
      placed: 2,
      notFound: [],
    })
  })

  it('stays inside the root, and follows 40 symlinks at most', () => {
    const chain = Array.from({ length: 60 }, (_, i) => link(`l${i}`, `l${i + 1}`))
    const layers = [[reg('x'), link('up', '../../../x'), link('loop', 'loop'), ...chain, reg('l60')]]
    expect(resolve(layers, '../../x', 'up', 'loop', 'l0', 'l21', 'l30')).toMatchObject({
      placed: 4,
      notFound: ['loop', 'l0'],
    })
  })

  it('of a symlink that leads nowhere is the symlink', () => {
    expect(resolve([[dir('etc'), link('etc/mtab', '/proc/self/mounts')]], 'etc/mtab').prioritized).toEqual([
      ['etc/mtab'],
    ])
  })

  it('of a hard link brings the entry with the content', () => {
    expect(resolve([[reg('file'), hard('alias', 'file')]], 'alias').prioritized).toEqual([['file', 'alias']])
  })

  it('of a directory is its entry, not what is in it', () => {
    expect(resolve([[dir('d'), reg('d/a')]], 'd').prioritized).toEqual([['d']])
  })

  it('is taken from the layer that the profiler saw it in, when it is this very image', () => {
    const layers = [[reg('a')], [reg('a')]]
    expect(resolve(layers, { path: 'a', manifestDigest, layerIndex: 0 }).prioritized).toEqual([['a'], []])
    const other = digestOf('another image')
    expect(resolve(layers, { path: 'a', manifestDigest: other, layerIndex: 0 }).prioritized).toEqual([
      [],
      ['a'],
    ])
    expect(resolve(layers, { path: 'a', manifestDigest, layerIndex: 9 }).prioritized).toEqual([[], ['a']])
  })
})

describe('a recorded glob', () => {
  it('takes files and symlinks, in the order of their names', () => {
    const layers = [[dir('lib'), reg('lib/b.so'), link('lib/a.so', 'b.so'), dir('lib/c.so'), reg('lib/x')]]
    expect(resolve(layers, { path: 'lib/*.so', glob: true })).toEqual({
      prioritized: [['lib/a.so', 'lib/b.so']],
      placed: 1,
      notFound: [],
    })
    expect(resolve(layers, { path: 'no/*', glob: true }).notFound).toEqual(['no/*'])
  })

  it('that matches nothing may be a plain name', () => {
    expect(resolve([[reg('[id].js')]], { path: '[id].js', glob: true }).prioritized).toEqual([['[id].js']])
  })
})

it('is quick on large images', () => {
  const layer = Array.from({ length: 100_000 }, (_, i) => reg(`usr/d${i % 300}/f${i}`))
  const started = performance.now()
  const found = resolve([layer, [link('bin', 'usr/d1')]], 'bin/f1', { path: 'usr/**/f9999?', glob: true })
  expect(found.prioritized[0]).toHaveLength(11)
  expect(performance.now() - started).toBeLessThan(5000)
})

it('gives names of the layer alone, each once, whatever the layers hold', () => {
  const name = fc
    .array(fc.constantFrom('a', 'b', 'c', '..', '.wh.a', '.wh..wh..opq'), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join('/'))
  const entry = fc.record({
    name: name.filter((text) => !text.includes('..')),
    type: fc.constantFrom('reg', 'dir', 'symlink', 'hardlink'),
    linkName: fc.oneof(
      name,
      name.map((text) => `/${text}`),
    ),
  })
  const recorded = fc.array(
    fc.record({
      path: fc.oneof(name, fc.constantFrom('**', 'a/*', '**/b')),
      glob: fc.constantFrom(true as const, undefined),
    }),
  )
  fc.assert(
    fc.property(fc.array(fc.array(entry), { maxLength: 4 }), recorded, (layers, paths) => {
      const entries = paths.map(({ path, glob }) => ({ path, ...(glob && { glob }) }))
      const { prioritized, placed, notFound } = resolveRecord({ entries, layers, manifestDigest })
      for (const [i, names] of prioritized.entries()) {
        expect(new Set(names).size).toBe(names.length)
        for (const one of names) expect(layers[i]?.some((known) => known.name === one)).toBe(true)
      }
      expect(placed + notFound.length).toBe(new Set(entries.map((one) => one.path)).size)
    }),
  )
})
