import fc from 'fast-check'
import { expect, it } from 'vitest'
import { DEFAULT_LAYER_LIMITS } from './layer-limits.ts'
import { decodeName } from './names.ts'
import { TarScanner } from './tar-scanner.ts'
import { encodeTarDirectory } from './write-header.ts'

function entriesOf(archive: Buffer) {
  return [...new TarScanner(DEFAULT_LAYER_LIMITS).push(archive)].flatMap((event) =>
    event.kind === 'entry' ? [event.entry] : [],
  )
}

it('decodes a directory as it was encoded, with any name and owner', () => {
  const bytes = fc
    .uint8Array({ minLength: 1, maxLength: 150 })
    .map((values) => Buffer.from(values.map((value) => value || 1)))
  const owner = fc.oneof(bytes, fc.constant(Buffer.of()))
  const id = fc.oneof(fc.nat(), fc.constantFrom(0, 0o7777777, 0o10000000, 2 ** 32 - 2))
  const directory = fc.record({
    name: bytes.map((value) => Buffer.concat([value, Buffer.from('/')])),
    mode: fc.nat(0o7777),
    uid: id,
    gid: id,
    mtime: fc.oneof(fc.integer(), fc.constantFrom(0, 0o77777777777, 0o100000000000, -1)),
    uname: owner,
    gname: owner,
    xattrs: fc
      .uniqueArray(fc.stringMatching(/^user\.[a-z]{1,9}$/))
      .chain((keys) => fc.tuple(...keys.map((key) => fc.tuple(fc.constant(Buffer.from(key)), bytes)))),
  })
  fc.assert(
    fc.property(directory, (encoded) => {
      const [entry] = entriesOf(encodeTarDirectory(encoded))
      expect(entry).toMatchObject({
        tarName: decodeName(encoded.name),
        type: 'dir',
        size: 0,
        mode: encoded.mode,
        uid: encoded.uid,
        gid: encoded.gid,
        uname: decodeName(encoded.uname),
        gname: decodeName(encoded.gname),
        mtime: { seconds: encoded.mtime, nanoseconds: 0 },
      })
      expect(Object.entries(entry?.xattrs ?? {})).toEqual(
        encoded.xattrs.map(([key, value]) => [key.toString(), value]),
      )
    }),
  )
})
