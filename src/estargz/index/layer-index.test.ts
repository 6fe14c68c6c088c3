import fc from 'fast-check'
import { expect, it } from 'vitest'
import { digestOf } from '../../oci/digest.ts'
import type { EntryType, TarEntry } from '../../tar/header.ts'
import { DEFAULT_LIMITS } from '../../tar/limits.ts'
import { cleanName, nameOfBytes } from '../../tar/names.ts'
import { decodeIndex, encodeIndex } from './encoded-index.ts'
import { IndexBuilder } from './index-builder.ts'
import { attributesOf, type LayerEntry } from './layer-entry.ts'
import { tocSeconds, tocTime } from './toc-time.ts'

const LAYER = {
  compression: 'zstd',
  chunkSize: 65_536,
  sourceDiffId: digestOf(''),
  sourcePlainSize: 0,
} as const

/** Names of any bytes, most of them text. */
const name = fc
  .oneof(
    fc.string({ unit: 'grapheme' }).map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
    fc
      .constantFrom('./a/../b/', '', '/', './', '././/', 'usr/bin', './usr/bin/')
      .map((text) => Buffer.from(text)),
  )
  .map(nameOfBytes)
const whole = fc.maxSafeNat()
const entry: fc.Arbitrary<TarEntry> = fc
  .record({
    tarName: name,
    type: fc.constantFrom<EntryType>('reg', 'dir', 'symlink', 'hardlink', 'char', 'block', 'fifo'),
    linkName: name,
    mode: fc.nat(0o7777),
    uid: fc.oneof(fc.constant(0), whole),
    gid: fc.oneof(fc.constant(0), whole),
    uname: name,
    gname: name,
    mtime: fc.record({ seconds: fc.maxSafeInteger(), nanoseconds: fc.nat(999_999_999) }),
    devMajor: fc.nat(),
    devMinor: fc.nat(),
    xattrs: fc.dictionary(
      name,
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    ),
  })
  .map(({ linkName, ...rest }) => ({
    ...rest,
    name: cleanName(rest.tarName),
    size: 0,
    ...((rest.type === 'symlink' || rest.type === 'hardlink') && { linkName }),
  }))

/** The entry as an index is to answer it; its digest is still to come. */
function layerEntry(entry: TarEntry): LayerEntry {
  const seconds = tocSeconds(entry.mtime)
  return {
    name: entry.name,
    ...(entry.tarName === entry.name ? {} : { tarName: entry.tarName }),
    ...attributesOf(entry),
    ...(entry.size ? { size: entry.size } : {}),
    ...(entry.linkName === undefined ? {} : { linkName: entry.linkName }),
    ...(seconds === undefined ? {} : { modtime: tocTime(seconds) }),
  }
}

it('entries come out of an index as they went in, also when it was kept', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 20 }), (entries) => {
      const builder = new IndexBuilder(DEFAULT_LIMITS)
      for (const [i, one] of entries.entries()) builder.entry(one, { start: 512 * i, length: 512 })
      builder.headers({ offset: 7, length: 100, plainLength: 512 * entries.length })
      const made = builder.finish(LAYER)
      const kept = decodeIndex(encodeIndex(made), 2 ** 20)
      expect(kept?.data).toEqual(made.data)
      for (const [i, one] of entries.entries()) {
        const digest = one.type === 'reg' ? { digest: digestOf('') } : {}
        expect(kept?.entry(i)).toEqual({ ...layerEntry(one), ...digest })
        expect(kept).toMatchObject({ length: entries.length })
        expect([kept?.name(i), kept?.type(i)]).toEqual([one.name, one.type])
        expect(kept?.header(i)).toEqual({ member: 0, start: 512 * i, length: 512 })
      }
    }),
  )
})

it('the digest of a file is that of its chunk, or its own when it has several', () => {
  const file = (tarName: string, size: number): TarEntry => ({
    ...{ name: tarName, tarName, type: 'reg', size, mode: 0, uid: 0, gid: 0, uname: '', gname: '' },
    ...{ mtime: { seconds: 0, nanoseconds: 0 }, devMajor: 0, devMinor: 0, xattrs: {} },
  })
  const bytes = (value: number) => Buffer.alloc(32, value)
  const chunk = (offset: number, size: number) => ({
    offset,
    length: size,
    innerOffset: 0,
    size,
    digest: bytes(offset),
  })
  const builder = new IndexBuilder(DEFAULT_LIMITS)
  builder.entry(file('small', 3), { start: 0, length: 512 })
  builder.chunk(chunk(1, 3))
  builder.entry(file('large', 70_000), { start: 0, length: 512 })
  builder.chunk(chunk(2, 65_536))
  builder.chunk(chunk(3, 4464))
  builder.file(bytes(9))
  builder.entry(file('empty', 0), { start: 0, length: 512 })
  const index = builder.finish(LAYER)
  const hex = (value: number) => `sha256:${bytes(value).toString('hex')}`
  expect([0, 1, 2].map((i) => index.digest(i))).toEqual([hex(1), hex(9), digestOf('')])
  expect([0, 1, 2].map((i) => index.chunks(i).map(({ row, size }) => [index.digestOf(row), size]))).toEqual([
    [[hex(1), 3]],
    [
      [hex(2), 65_536],
      [hex(3), 4464],
    ],
    [],
  ])
})

it('the largest member is found among as many as a layer may have', () => {
  const builder = new IndexBuilder(DEFAULT_LIMITS)
  expect(builder.finish(LAYER).largestMember).toBe(65_536 + 512)
  const members = new IndexBuilder(DEFAULT_LIMITS)
  for (let i = 0; i < 1_000_000; i++) {
    members.headers({ offset: i, length: 1, plainLength: i === 500_000 ? 99_999 : 512 })
  }
  expect(members.finish(LAYER).largestMember).toBe(99_999 + 512)
})

it('an index that another version kept is not believed', () => {
  const packed = encodeIndex(new IndexBuilder(DEFAULT_LIMITS).finish(LAYER))
  expect(decodeIndex(packed, 2 ** 20)).toBeDefined()
  expect(decodeIndex(packed, 5)).toBeUndefined()
  expect(decodeIndex(Buffer.from('{"version":1}'), 2 ** 20)).toBeUndefined()
  for (const length of [0, 4, 8, 40, packed.length - 1]) {
    expect(decodeIndex(packed.subarray(0, length), 2 ** 20)).toBeUndefined()
  }
  const other = Buffer.from(packed)
  other[3] = 0xff
  expect(decodeIndex(other, 2 ** 20)).toBeUndefined()
})
