import fc from 'fast-check'
import { expect, it } from 'vitest'
import { digestOf } from '../../oci/digest.ts'
import type { EntryType, TarEntry } from '../../tar/header.ts'
import { DEFAULT_LAYER_LIMITS } from '../../tar/layer-limits.ts'
import { cleanName, decodeName } from '../../tar/names.ts'
import { IndexBuilder } from './index-builder.ts'
import { decodeIndex, encodeIndex } from './index-codec.ts'
import { attributesOf, type LayerEntry } from './layer-entry.ts'
import { formatTocTime, roundToSeconds } from './toc-time.ts'

const LAYER = {
  compression: 'zstd',
  chunkSize: 65_536,
  sourceDiffId: digestOf(''),
  sourceUncompressedSize: 0,
} as const

/** Names of arbitrary bytes, mostly text. */
const name = fc
  .oneof(
    fc.string({ unit: 'grapheme' }).map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
    fc
      .constantFrom('./a/../b/', '', '/', './', '././/', 'usr/bin', './usr/bin/')
      .map((text) => Buffer.from(text)),
  )
  .map(decodeName)
const naturalNumber = fc.maxSafeNat()
const entry: fc.Arbitrary<TarEntry> = fc
  .record({
    tarName: name,
    type: fc.constantFrom<EntryType>('reg', 'dir', 'symlink', 'hardlink', 'char', 'block', 'fifo'),
    linkName: name,
    mode: fc.nat(0o7777),
    uid: fc.oneof(fc.constant(0), naturalNumber),
    gid: fc.oneof(fc.constant(0), naturalNumber),
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

/** The entry that an index should return, without its digest. */
function expectedEntry(entry: TarEntry): LayerEntry {
  const seconds = roundToSeconds(entry.mtime)
  return {
    name: entry.name,
    ...(entry.tarName === entry.name ? {} : { tarName: entry.tarName }),
    ...attributesOf(entry),
    ...(entry.size ? { size: entry.size } : {}),
    ...(entry.linkName === undefined ? {} : { linkName: entry.linkName }),
    ...(seconds === undefined ? {} : { modtime: formatTocTime(seconds) }),
  }
}

it('an index returns entries unchanged, also after encoding and decoding', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 20 }), (entries) => {
      const builder = new IndexBuilder(DEFAULT_LAYER_LIMITS)
      for (const [i, one] of entries.entries()) builder.addEntry(one, { start: 512 * i, length: 512 })
      builder.addHeaderMember({ offset: 7, length: 100, uncompressedLength: 512 * entries.length })
      const index = builder.finish(LAYER)
      const decoded = decodeIndex(encodeIndex(index), 2 ** 20)
      expect(decoded?.data).toEqual(index.data)
      for (const [i, one] of entries.entries()) {
        const digest = one.type === 'reg' ? { digest: digestOf('') } : {}
        expect(decoded?.entry(i)).toEqual({ ...expectedEntry(one), ...digest })
        expect(decoded).toMatchObject({ length: entries.length })
        expect([decoded?.name(i), decoded?.type(i)]).toEqual([one.name, one.type])
        expect(decoded?.headerLocation(i)).toEqual({ member: 0, start: 512 * i, length: 512 })
      }
    }),
  )
})

it('a file of one chunk has the digest of the chunk, a file of several its own', () => {
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
  const builder = new IndexBuilder(DEFAULT_LAYER_LIMITS)
  builder.addEntry(file('small', 3), { start: 0, length: 512 })
  builder.addChunk(chunk(1, 3))
  builder.addEntry(file('large', 70_000), { start: 0, length: 512 })
  builder.addChunk(chunk(2, 65_536))
  builder.addChunk(chunk(3, 4464))
  builder.addFileDigest(bytes(9))
  builder.addEntry(file('empty', 0), { start: 0, length: 512 })
  const index = builder.finish(LAYER)
  const hex = (value: number) => `sha256:${bytes(value).toString('hex')}`
  expect([0, 1, 2].map((i) => index.digest(i))).toEqual([hex(1), hex(9), digestOf('')])
  expect(
    [0, 1, 2].map((i) => index.chunks(i).map(({ row, size }) => [index.chunkDigest(row), size])),
  ).toEqual([
    [[hex(1), 3]],
    [
      [hex(2), 65_536],
      [hex(3), 4464],
    ],
    [],
  ])
})

it('maxMemberBytes finds the largest of as many members as a layer may have', () => {
  const builder = new IndexBuilder(DEFAULT_LAYER_LIMITS)
  expect(builder.finish(LAYER).maxMemberBytes).toBe(65_536 + 512)
  const members = new IndexBuilder(DEFAULT_LAYER_LIMITS)
  for (let i = 0; i < 1_000_000; i++) {
    members.addHeaderMember({ offset: i, length: 1, uncompressedLength: i === 500_000 ? 99_999 : 512 })
  }
  expect(members.finish(LAYER).maxMemberBytes).toBe(99_999 + 512)
})

it('decodeIndex rejects other versions, damage and indexes above the limit', () => {
  const encoded = encodeIndex(new IndexBuilder(DEFAULT_LAYER_LIMITS).finish(LAYER))
  expect(decodeIndex(encoded, 2 ** 20)).toBeDefined()
  expect(decodeIndex(encoded, 5)).toBeUndefined()
  expect(decodeIndex(Buffer.from('{"version":1}'), 2 ** 20)).toBeUndefined()
  for (const length of [0, 4, 8, 40, encoded.length - 1]) {
    expect(decodeIndex(encoded.subarray(0, length), 2 ** 20)).toBeUndefined()
  }
  const otherVersion = Buffer.from(encoded)
  otherVersion[3] = 0xff
  expect(decodeIndex(otherVersion, 2 ** 20)).toBeUndefined()
})
