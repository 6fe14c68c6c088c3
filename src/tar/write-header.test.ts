import fc from 'fast-check'
import { expect, it } from 'vitest'
import { DEFAULT_LIMITS } from './limits.ts'
import { nameOfBytes } from './names.ts'
import { TarScanner } from './scanner.ts'
import { directoryHeader } from './write-header.ts'

function entriesOf(archive: Buffer) {
  return [...new TarScanner(DEFAULT_LIMITS).push(archive)].flatMap((event) =>
    event.kind === 'entry' ? [event.entry] : [],
  )
}

it('a directory is read as it was written, whatever it is called and whoever has it', () => {
  const bytes = fc
    .uint8Array({ minLength: 1, maxLength: 150 })
    .map((some) => Buffer.from(some.map((b) => b || 1)))
  const owner = fc.oneof(bytes, fc.constant(Buffer.of()))
  const id = fc.oneof(fc.nat(), fc.constantFrom(0, 0o7777777, 0o10000000, 2 ** 32 - 2))
  const directory = fc.record({
    name: bytes.map((some) => Buffer.concat([some, Buffer.from('/')])),
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
    fc.property(directory, (written) => {
      const [entry] = entriesOf(directoryHeader(written))
      expect(entry).toMatchObject({
        tarName: nameOfBytes(written.name),
        type: 'dir',
        size: 0,
        mode: written.mode,
        uid: written.uid,
        gid: written.gid,
        uname: nameOfBytes(written.uname),
        gname: nameOfBytes(written.gname),
        mtime: { seconds: written.mtime, nanoseconds: 0 },
      })
      expect(Object.entries(entry?.xattrs ?? {})).toEqual(
        written.xattrs.map(([key, value]) => [key.toString(), value]),
      )
    }),
  )
})
