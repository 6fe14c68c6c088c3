import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../oci/digest.ts'
import type { LayerListing, ListedEntry } from '../../rootfs/layer-listing.ts'
import { matchGlobs } from '../glob/match-globs.ts'
import type { RecordEntry } from '../model.ts'
import { RecordStepBudget } from '../record-step-budget.ts'
import { type Resolution, resolveRecord } from './resolve-record.ts'

const manifestDigest = digestOf('this image')
const reg = (name: string) => ({ name, type: 'reg' as const })
const dir = (name: string) => ({ name, type: 'dir' as const })
const link = (name: string, linkName: string) => ({ name, type: 'symlink' as const, linkName })
const hard = (name: string, linkName: string) => ({ name, type: 'hardlink' as const, linkName })

function resolve(layers: LayerListing[], ...recorded: (string | RecordEntry)[]) {
  const entries = recorded.map((one) => (typeof one === 'string' ? { path: one } : one))
  const { prioritized, resolutions } = resolveRecord({ entries, layers, manifestDigest })
  const pathsWith = (...accepted: Resolution[]) =>
    [...resolutions].flatMap(([path, resolution]) => (accepted.includes(resolution) ? [path] : []))
  return {
    prioritized,
    placed: pathsWith('placed', 'followed').length,
    followed: pathsWith('followed'),
    hidden: pathsWith('hidden'),
    missing: pathsWith('missing'),
  }
}

describe('a recorded path', () => {
  it('is placed in the topmost layer that has it', () => {
    const layers = [[reg('a'), reg('b')], [reg('a')]]
    expect(resolve(layers, 'b', 'a', 'b', 'c')).toEqual({
      prioritized: [['b'], ['a']],
      placed: 2,
      followed: [],
      hidden: [],
      missing: ['c'],
    })
  })

  it('is hidden by whiteouts and opaque directories', () => {
    const layers = [
      [dir('d'), reg('d/hidden'), reg('gone'), dir('o'), reg('o/old')],
      [reg('d/.wh.hidden'), reg('.wh.gone'), dir('o'), reg('o/.wh..wh..opq'), reg('o/new')],
    ]
    expect(resolve(layers, 'd/hidden', 'gone', 'o/old', 'o/new', '.wh.gone', 'd/none')).toMatchObject({
      prioritized: [[], ['o/new']],
      hidden: ['d/hidden', 'gone', 'o/old'],
      missing: ['.wh.gone', 'd/none'],
    })
  })

  it('is hidden if a symlink leads to a removed file, or replaced its directory', () => {
    const layers = [
      [dir('usr'), dir('usr/lib'), reg('usr/lib/x'), link('lib', 'usr/lib'), dir('etc'), reg('etc/y')],
      [reg('usr/lib/.wh.x'), link('etc', 'usr')],
    ]
    expect(resolve(layers, 'lib/x', 'etc/y', 'lib/z')).toMatchObject({
      prioritized: [[], []],
      hidden: ['lib/x', 'etc/y'],
      missing: ['lib/z'],
    })
  })

  it('is found through symlinks in every component, which come first', () => {
    const layers = [
      [dir('usr'), dir('usr/lib'), reg('usr/lib/libc.so.6.1')],
      [link('lib', 'usr/lib'), link('usr/lib/libc.so.6', './libc.so.6.1'), link('bin', '/usr/bin')],
      [dir('usr/bin'), link('usr/bin/sh', '../../usr/bin/dash'), reg('usr/bin/dash')],
    ]
    expect(resolve(layers, '/lib/libc.so.6', 'bin/sh')).toMatchObject({
      prioritized: [
        ['usr/lib/libc.so.6.1'],
        ['lib', 'usr/lib/libc.so.6', 'bin'],
        ['usr/bin/sh', 'usr/bin/dash'],
      ],
      placed: 2,
      followed: ['/lib/libc.so.6', 'bin/sh'],
    })
  })

  it('adds the traversed directories of layers with a read entry', () => {
    const layers = [
      [dir('usr'), dir('usr/share'), reg('usr/share/app')],
      [dir('usr'), dir('usr/share'), reg('etc')],
      [dir('usr'), dir('usr/share')],
    ]
    // The attributes of usr/share are those of the topmost layer that has it.
    expect(resolve(layers, 'usr/share/app', 'etc').prioritized).toEqual([['usr/share/app'], ['etc'], []])
    const through = [
      [dir('a'), dir('b'), reg('b/file'), reg('x')],
      [dir('a'), link('l', 'a/../b/file')],
    ]
    expect(resolve(through, 'l').prioritized).toEqual([['b/file'], ['l', 'a']])
  })

  it('stays inside the root', () => {
    const layers = [[reg('x'), dir('d'), link('up', '../../../x'), link('d/root', '/')]]
    expect(resolve(layers, '../../x', 'up', 'd/root/../x', 'd/../../x')).toMatchObject({
      placed: 4,
      missing: [],
    })
  })

  it('is followed through at most 40 symlinks', () => {
    const chain = Array.from({ length: 60 }, (_, i) => link(`l${i}`, `l${i + 1}`))
    const layers = [[...chain, reg('l60'), link('loop', 'loop'), link('a', 'b/x'), link('b', 'a/x')]]
    expect(resolve(layers, 'l20', 'l30', 'l19', 'loop', 'a', 'loop/x')).toMatchObject({
      followed: ['l20', 'l30'],
      missing: ['l19', 'loop', 'a', 'loop/x'],
    })
    const deep = [dir('d'), link('d/s', '.'), reg('d/f')]
    const path = (links: number) => `d/${'s/'.repeat(links)}f`
    expect(resolve([deep], path(40), path(41))).toMatchObject({ placed: 1, missing: [path(41)] })
  })

  it('of a dangling symlink places the symlink', () => {
    expect(resolve([[dir('etc'), link('etc/mtab', '/proc/self/mounts')]], 'etc/mtab').prioritized).toEqual([
      ['etc/mtab'],
    ])
  })

  it('of a hard link also places the entry with the content', () => {
    expect(resolve([[reg('file'), hard('alias', 'file')]], 'alias').prioritized).toEqual([['file', 'alias']])
  })

  it('of a directory places its entry, not its content', () => {
    expect(resolve([[dir('d'), reg('d/a')]], 'd').prioritized).toEqual([['d']])
  })

  it('is placed in the layer of the profiler, if the image is the profiled one', () => {
    const layers = [
      [dir('d'), reg('a'), reg('b'), reg('gone')],
      [dir('d'), reg('a'), reg('.wh.gone')],
    ]
    const seen = (path: string, layerIndex: number, digest = manifestDigest) =>
      resolve(layers, { path, manifestDigest: digest, layerIndex }).prioritized
    expect(seen('d', 0)).toEqual([['d'], ['d']])
    expect(seen('d', 0, digestOf('another image'))).toEqual([[], ['d']])
    expect(seen('b', 0)).toEqual([['b'], []])
    expect(seen('a', 9)).toEqual([[], ['a']])
    // The record is overruled: a container does not see the entry of the lower layer.
    expect(seen('a', 0)).toEqual([[], ['a']])
    expect(seen('gone', 0)).toEqual([[], []])
    expect(resolve(layers, { path: 'gone', manifestDigest, layerIndex: 0 }).hidden).toEqual(['gone'])
  })
})

describe('a recorded glob', () => {
  it('places files and symlinks in the order of their names', () => {
    const layers = [[dir('lib'), reg('lib/b.so'), link('lib/a.so', 'b.so'), dir('lib/c.so'), reg('lib/x')]]
    expect(resolve(layers, { path: 'lib/*.so', glob: true })).toMatchObject({
      prioritized: [['lib/a.so', 'lib/b.so']],
      placed: 1,
    })
    expect(resolve(layers, { path: 'no/*', glob: true }).missing).toEqual(['no/*'])
  })

  it('places what the paths that it matches place, for arbitrary layers', () => {
    const name = fc
      .array(fc.constantFrom('a', 'b', 'c', '.wh.a'), { minLength: 1, maxLength: 3 })
      .map((parts) => parts.join('/'))
    const entry = fc.record({
      name,
      type: fc.constantFrom('reg' as const, 'dir' as const, 'symlink' as const, 'hardlink' as const),
      linkName: name,
    })
    const layers = fc.array(fc.array(entry, { maxLength: 8 }), { minLength: 1, maxLength: 3 })
    const glob = fc.constantFrom('**', '*', 'a/*', '**/a', 'b/**', '{a,b}/c')
    let matched = 0
    fc.assert(
      fc.property(layers, fc.array(glob, { minLength: 1, maxLength: 3 }), (image, globs) => {
        const request = { layers: image, manifestDigest, interpreters: true }
        const resolved = resolveRecord({
          ...request,
          entries: globs.map((path) => ({ path, glob: true as const })),
        })
        const { files, matched: found } = matchGlobs(resolved.view, globs, new RecordStepBudget())
        const paths = globs.flatMap((glob) =>
          found.has(glob) ? (files.get(glob) ?? []).map(({ path }) => path) : [glob],
        )
        const literal = resolveRecord({ ...request, entries: paths.map((path) => ({ path })) })
        expect(resolved.prioritizedEntries).toEqual(literal.prioritizedEntries)
        expect(resolved.contents).toEqual(literal.contents)
        matched += paths.length
      }),
      { numRuns: 1000 },
    )
    expect(matched).toBeGreaterThan(100)
  })

  it('without a match may be a literal name', () => {
    expect(resolve([[reg('[id].js')]], { path: '[id].js', glob: true }).prioritized).toEqual([['[id].js']])
  })
})

it('resolves quickly in large images', () => {
  const layer = Array.from({ length: 100_000 }, (_, i) => reg(`usr/d${i % 300}/f${i}`))
  const started = performance.now()
  const found = resolve([layer, [link('bin', 'usr/d1')]], 'bin/f1', { path: 'usr/**/f9999?', glob: true })
  expect(found.prioritized[0]).toHaveLength(11)
  expect(performance.now() - started).toBeLessThan(5000)
})

it('returns distinct names of the layer, for arbitrary layers', () => {
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
      const { prioritized, resolutions } = resolveRecord({ entries, layers, manifestDigest })
      for (const [i, names] of prioritized.entries()) {
        expect(new Set(names).size).toBe(names.length)
        for (const one of names) expect(layers[i]?.some((entry) => entry.name === one)).toBe(true)
      }
      expect([...resolutions.keys()]).toEqual([...new Set(entries.map((one) => one.path))])
    }),
  )
})

/** A simple implementation of path_resolution(7) over the names of one layer. */
function lookUp(entries: ReadonlyMap<string, Omit<ListedEntry, 'name'>>, path: string): string | undefined {
  let directory: string[] = []
  let remaining = path.split('/')
  for (let links = 0; remaining.length > 0; ) {
    const [part = '', ...following] = remaining
    remaining = following
    if (part === '' || part === '.') continue
    if (part === '..') {
      directory.pop()
      continue
    }
    const name = [...directory, part].join('/')
    const entry = entries.get(name)
    if (entry === undefined) return undefined
    if (entry.type === 'symlink') {
      if (++links > 40) return undefined
      const { linkName = '' } = entry
      if (linkName.startsWith('/')) directory = []
      remaining = [...linkName.split('/'), ...remaining]
      continue
    }
    if (entry.type !== 'dir' && remaining.some((one) => one !== '' && one !== '.')) return undefined
    directory.push(part)
  }
  return directory.join('/')
}

it('resolves arbitrary symlinks as Linux does', () => {
  const part = fc.constantFrom('a', 'b', 'c', '..', '.')
  const path = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'))
  const target = fc.tuple(fc.constantFrom('', '/', '//'), path).map(([root, relative]) => root + relative)
  const names = ['a', 'b', 'c'].flatMap((one) => [one, ...['a', 'b', 'c'].map((two) => `${one}/${two}`)])
  const kinds = fc.array(
    fc.oneof(fc.constant(undefined), fc.constant('dir'), fc.constant('reg'), fc.record({ link: target })),
    { minLength: names.length, maxLength: names.length },
  )
  let resolved = 0
  fc.assert(
    fc.property(kinds, path, (kindOf, recorded) => {
      const entries = new Map<string, Omit<ListedEntry, 'name'>>()
      for (const [i, name] of names.entries()) {
        const kind = kindOf[i]
        const parent = name.includes('/') ? entries.get(name[0] ?? '') : { type: 'dir' }
        if (kind === undefined || parent?.type !== 'dir') continue
        entries.set(
          name,
          typeof kind === 'string' ? { type: kind } : { type: 'symlink', linkName: kind.link },
        )
      }
      const layer = [...entries].map(([name, entry]) => ({ name, ...entry }))
      const expected = lookUp(entries, recorded)
      const { contents, resolutions } = resolveRecord({
        entries: [{ path: recorded }],
        layers: [layer],
        manifestDigest,
      })
      const content = contents.get(recorded)
      // A dangling symlink is placed itself, and the root is not an entry of a layer.
      if (expected === undefined)
        expect(content === undefined || layer[content.entry]?.type === 'symlink').toBe(true)
      else if (expected !== '') {
        expect(layer[content?.entry ?? -1]?.name).toBe(expected)
        resolved += 1
      } else expect(resolutions.get(recorded)).not.toBe('missing')
    }),
    { numRuns: 2000 },
  )
  expect(resolved).toBeGreaterThan(100)
})

describe('the interpreter of a recorded program', () => {
  const program = (name: string, interpreter: string) => ({ name, type: 'reg' as const, interpreter })
  function interpreted(layers: LayerListing[], ...paths: string[]) {
    const entries = paths.map((path) => ({ path }))
    return resolveRecord({ entries, layers, manifestDigest, interpreters: true })
  }
  const root: LayerListing = [
    dir('lib'),
    link('lib64', 'lib'),
    reg('lib/ld.so'),
    program('bin/env', '/lib64/ld.so'),
    program('start', '/bin/env'),
    program('other', '/lib64/ld.so'),
    program('relative', 'bin/env'),
    program('missing', '/none'),
    program('loop', '/loop'),
    reg('data'),
  ]

  it('is placed after it, with its own interpreter, each once', () => {
    const { prioritized, implied } = interpreted([root], 'start', 'data', 'other')
    expect(prioritized).toEqual([['start', 'bin/env', 'lib64', 'lib/ld.so', 'data', 'other']])
    expect(implied).toEqual([
      { path: 'bin/env', by: 'start' },
      { path: 'lib64/ld.so', by: 'start' },
    ])
  })

  it('is not implied if a path names it, under any name', () => {
    const { prioritized, implied } = interpreted([root], 'other', 'data', 'lib/ld.so')
    expect(prioritized).toEqual([['other', 'lib64', 'lib/ld.so', 'data']])
    expect(implied).toEqual([])
  })

  it('is not placed if it is relative, missing, the program itself, or not requested', () => {
    expect(interpreted([root], 'relative', 'missing', 'loop').prioritized).toEqual([
      ['relative', 'missing', 'loop'],
    ])
    expect(resolve([root], 'start').prioritized).toEqual([['start']])
  })

  it('is resolved for four steps, across layers and through hard links', () => {
    const chain: LayerListing = [1, 2, 3, 4, 5, 6].map((n) => program(`s${n}`, `/s${n + 1}`))
    const upper: LayerListing = [program('real', '/s1'), hard('name', 'real')]
    const { implied } = interpreted([chain, upper], 'name')
    expect(implied.map(({ path }) => path)).toEqual(['s1', 's2', 's3', 's4'])
  })

  it('is unknown if the program was not read', () => {
    const unread = { name: 'tool', type: 'reg' as const, isUnreadProgram: true }
    expect(interpreted([[unread, reg('data')]], 'tool', 'data', 'tool').unreadPrograms).toEqual([
      { layer: 0, entry: 0 },
    ])
  })
})
