import { describe, expect, it } from 'vitest'
import {
  buildTar,
  device,
  dir,
  entryOfType,
  fifo,
  file,
  globalPax,
  hardlink,
  paxHeader,
  symlink,
  withGnuMagic,
} from '../../test/support/images/build-tar.ts'
import type { TarEntry } from './header.ts'
import { DEFAULT_LAYER_LIMITS } from './layer-limits.ts'
import { TarScanner } from './tar-scanner.ts'

const long = `${'d/'.repeat(80)}${'n'.repeat(120)}`

/** Scans an archive. `raw` contains the bytes of all events of entries, and `all` those of every event. */
function scan(archive: Buffer, piece = archive.length, limits = DEFAULT_LAYER_LIMITS) {
  const scanner = new TarScanner(limits)
  const entries: TarEntry[] = []
  const contents: string[] = []
  const raw: Buffer[] = []
  const all: Buffer[] = []
  const collect = (
    events: Iterable<ReturnType<TarScanner['push']> extends Iterable<infer E> ? E : never>,
  ) => {
    for (const event of events) {
      if (event.kind !== 'end') all.push(Buffer.from(event.kind === 'entry' ? event.header : event.bytes))
      if (event.kind === 'entry') {
        entries.push(event.entry)
        contents.push('')
        raw.push(Buffer.from(event.header))
      } else if (event.kind === 'content') {
        contents.push(contents.pop() + event.bytes.toString('latin1'))
        raw.push(Buffer.from(event.bytes))
      } else if (event.kind === 'padding') {
        raw.push(Buffer.from(event.bytes))
      }
    }
  }
  // A piece is valid until the next one, so the scanner has to copy what it stores.
  const memory = Buffer.alloc(piece)
  for (let offset = 0; offset < archive.length; offset += piece) {
    const bytes = archive.subarray(offset, offset + piece)
    memory.set(bytes)
    collect(scanner.push(memory.subarray(0, bytes.length)))
  }
  collect(scanner.end())
  return { entries, contents, raw: Buffer.concat(raw), all: Buffer.concat(all) }
}

const first = (archive: Buffer) => scan(archive).entries[0]

describe('TarScanner', () => {
  const everything = buildTar(
    dir('./'),
    file('./a', 'content'),
    file('empty'),
    file(long, 'x'.repeat(512)),
    file(long, 'gnu', { gnu: true }),
    symlink('s', '/target'),
    symlink('ls', long, { gnu: true }),
    hardlink('h', './a'),
    device('char', 'dev/null', 1, 3),
    device('block', 'dev/sda', 8, 0),
    fifo('pipe'),
    file('x', '1', { pax: { 'SCHILY.xattr.security.capability': Buffer.from([1, 0xff, 0xc0, 0, 0x0a]) } }),
  )

  it('returns the same entries for pieces of any size', () => {
    const atOnce = scan(everything)
    for (const size of [1, 7, 511, 512, 513]) expect(scan(everything, size)).toEqual(atOnce)
  })

  it('passes on every byte for pieces of any size, and marks bytes that belong to no entry', () => {
    expect(scan(everything).raw).toEqual(everything.subarray(0, -1024))
    const archive = Buffer.concat([
      buildTar(globalPax({ comment: 'x' }), file('a', 'b')),
      Buffer.from('trailing bytes'),
    ])
    for (const piece of [1, 511, 513, 4096]) expect(scan(archive, piece).all).toEqual(archive)
  })

  it('cleans names, and keeps their spelling in the archive', () => {
    const names = scan(buildTar(dir('./'), dir('/etc'), file('./a//b/../c'), file('..b'))).entries
    expect(names.map(({ name }) => name)).toEqual(['', 'etc', 'a/c', '..b'])
    expect(names.map(({ tarName }) => tarName)).toEqual(['./', '/etc/', './a//b/../c', '..b'])
  })

  it('reads PAX and GNU long names and targets, which take precedence over the header', () => {
    const { entries } = scan(everything)
    expect(entries.filter(({ name }) => name === long)).toHaveLength(2)
    expect(entries.find(({ name }) => name === 'ls')?.linkName).toBe(long)
    expect(first(buildTar(file('short', '', { gnu: true, pax: { path: 'other' } })))?.name).toBe('short')
  })

  it('reads the prefix that Go before 1.8 wrote into GNU headers, and does not mistake times for one', () => {
    const prefix = `usr/lib/node_modules/${'x'.repeat(80)}`
    const gnu = (prefix: string | Buffer) => first(buildTar(file('a', '', { gnu: true, prefix })))?.name
    // A GNU long name is complete.
    expect(gnu(prefix)).toBe('a')
    const block = file('a.js', '', { prefix })
    expect(first(buildTar(withGnuMagic(block)))?.name).toBe(`${prefix}/a.js`)
    const times = '00000000012\0'.repeat(2)
    expect(first(buildTar(withGnuMagic(file('a.js', '', { prefix: times }))))?.name).toBe('a.js')
    const base256 = Buffer.concat([Buffer.of(0x80), Buffer.alloc(11, 0xff), Buffer.from(times)])
    expect(
      first(
        buildTar(
          withGnuMagic(file('a.js', '', { prefix: Buffer.of(0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4) })),
        ),
      )?.name,
    ).toBe('a.js')
    expect(first(buildTar(withGnuMagic(file('a.js', '', { prefix: base256 }))))?.name).toBe('a.js')
    expect(first(buildTar(withGnuMagic(file('a.js', '', { prefix: 'ü' }))))?.name).toBe('a.js')
  })

  it('reads signed numbers of PAX records', () => {
    const signed = file('a', 'abc', { pax: { size: '+3', uid: '+7', gid: '-1', mtime: '+5.25' } })
    expect(first(buildTar(signed))).toMatchObject({
      ...{ size: 3, uid: 7, gid: -1 },
      mtime: { seconds: 5, nanoseconds: 250_000_000 },
    })
    for (const mtime of ['+-5', '5.+2', '+', '--5', '']) {
      const archive = buildTar(file('a', '', { pax: { mtime } }))
      if (mtime === '') expect(first(archive)?.mtime.seconds).toBe(1577836800)
      else expect(() => scan(archive), mtime).toThrow(expect.objectContaining({ code: 'CORRUPT_TAR' }))
    }
    expect(first(buildTar(paxHeader('+11 path=b\n'), file('a')))?.name).toBe('b')
    expect(first(buildTar(paxHeader('000000000000000000000032 path=b\n'), file('a')))?.name).toBe('b')
    for (const record of ['-10 path=b\n', '++9 path=b\n', '4 a\n', '4 =\n', '8 path=b\n', '1_0 path=b\n']) {
      expect(() => scan(buildTar(paxHeader(record), file('a'))), record).toThrow(
        'no "LENGTH KEY=VALUE" record',
      )
    }
  })

  it('rejects NUL in names of PAX records, as container runtimes do', () => {
    for (const key of ['path', 'linkpath', 'uname', 'gname', 'SCHILY.xattr.user.a\0b', 'other\0']) {
      const archive = buildTar(file('a', '', { pax: { [key]: 'b\0c' } }))
      expect(() => scan(archive), key).toThrow(expect.objectContaining({ code: 'CORRUPT_TAR' }))
    }
    expect(first(buildTar(file('a', '', { pax: { 'SCHILY.xattr.user.a': '\0' } })))?.xattrs).toEqual({
      'user.a': Buffer.of(0),
    })
  })

  it('ignores an empty long name', () => {
    expect(first(buildTar(file('', '', { gnu: true }), file('b')))?.name).toBe('')
    const [empty] = [file('', '', { gnu: true }).subarray(0, 1024)]
    expect(first(buildTar(empty, file('b')))?.name).toBe('b')
  })

  it('drops the extension headers before a global header, as container runtimes do', () => {
    const archive = buildTar(paxHeader('10 path=b\n'), globalPax({ comment: 'x' }), file('a'))
    expect(first(archive)?.name).toBe('a')
    expect(scan(archive).all).toEqual(archive)
  })

  it('accepts any name', () => {
    const unusual = file('__proto__', '', { uname: '__proto__', pax: { 'SCHILY.xattr.__proto__': 'x' } })
    const entry = first(buildTar(unusual))
    expect([entry?.name, entry?.uname, Object.entries(entry?.xattrs ?? {})]).toEqual([
      ...['__proto__', '__proto__', [['__proto__', Buffer.from('x')]]],
    ])
  })

  it('reads binary extended attributes byte for byte', () => {
    const value = Buffer.from([1, 0xff, 0xc0, 0, 0x0a])
    expect(scan(everything).entries.at(-1)?.xattrs).toEqual({ 'security.capability': value })
  })

  it('reads sizes in base-256 and from PAX records', () => {
    expect(first(buildTar(file('b', 'abc', { base256: true })))?.size).toBe(3)
    const paxed = buildTar(
      file('b', 'abc', { pax: { size: '3', uid: '3000000', mtime: '-1.25', uname: 'ü' } }),
    )
    expect(first(paxed)).toMatchObject({
      size: 3,
      uid: 3_000_000,
      uname: 'ü',
      mtime: { seconds: -2, nanoseconds: 750_000_000 },
    })
  })

  it('distinguishes names that are not UTF-8', () => {
    const { entries } = scan(buildTar(file(Buffer.from([0x61, 0xff])), file(Buffer.from([0x61, 0xfe]))))
    expect(entries.map(({ name }) => name)).toEqual(['a\udcff', 'a\udcfe'])
  })

  it('ignores global PAX headers, as container runtimes do', () => {
    const { entries } = scan(buildTar(globalPax({ comment: 'abc', uid: '7' }), file('a', 'x')))
    expect(entries).toHaveLength(1)
    expect(entries[0]).toMatchObject({ name: 'a', uid: 0, size: 1 })
  })

  it('rejects malformed global PAX headers, as container runtimes do', () => {
    const damaged = buildTar(globalPax({ comment: 'abc' }), file('a', 'x'))
    damaged.fill(0, 512, 600)
    expect(() => scan(damaged)).toThrow(expect.objectContaining({ code: 'CORRUPT_TAR' }))
  })

  it('rejects entries that eStargz cannot represent, and names them', () => {
    const sparse = file('sp', 'x', { pax: { 'GNU.sparse.major': '1' } })
    for (const entry of [sparse, entryOfType('S', 'sp'), entryOfType('7', 'sp'), entryOfType('V', 'sp')]) {
      expect(() => scan(buildTar(entry))).toThrow(
        expect.objectContaining({ code: 'UNSUPPORTED_ENTRY', entry: 'sp' }),
      )
    }
  })

  it('rejects damaged and truncated archives', () => {
    const good = buildTar(file('a', 'x'.repeat(600)), file(long, 'y'))
    const flipped = Buffer.from(good)
    flipped[0] = 0x7a
    expect(() => scan(flipped)).toThrow(expect.objectContaining({ code: 'CORRUPT_TAR', offset: 0 }))
    for (const length of [100, 700, 1111, 1536 + 512, 1536 + 1024, 1536 + 1100]) {
      expect(() => scan(good.subarray(0, length)), `${length}`).toThrow(
        expect.objectContaining({ code: 'CORRUPT_TAR', offset: length }),
      )
    }
    const lone = Buffer.concat([Buffer.alloc(512), good])
    expect(() => scan(lone)).toThrow('lone block of zeros')
  })

  it('accepts a missing end mark and missing padding at the end', () => {
    const archive = buildTar(file('a', 'abc'))
    for (const length of [0, 512 + 3, 512 + 10, 1024, 1536]) {
      expect(scan(archive.subarray(0, length)).contents).toEqual(length === 0 ? [] : ['abc'])
    }
  })

  it('enforces its limits', () => {
    const scanWithin = (limits: Partial<typeof DEFAULT_LAYER_LIMITS>) => () =>
      scan(everything, 512, { ...DEFAULT_LAYER_LIMITS, ...limits })
    for (const limits of [{ maxEntries: 11 }, { maxHeaderBytes: 1024 }, { maxNameBytes: 200 }]) {
      expect(scanWithin(limits)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }))
    }
    expect(scanWithin({ maxEntries: 12, maxHeaderBytes: 4096, maxNameBytes: 300 })).not.toThrow()
  })
})
