import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { TarEntry } from '../../src/tar/header.ts'
import { DEFAULT_LAYER_LIMITS } from '../../src/tar/layer-limits.ts'
import { TarScanner } from '../../src/tar/tar-scanner.ts'
import {
  buildTar,
  dir,
  file,
  globalPax,
  paxHeader,
  symlink,
  withChecksum,
  withGnuMagic,
} from '../support/images/build-tar.ts'
import { EStargzReader, type ReaderEntry, type ReaderProcess } from '../support/peers/estargz-reader.ts'
import { describeWithPeers } from '../support/peers/peers.ts'

const CONTENT = 'some content'

/** Offset and length of the header fields that writers get wrong. */
const FIELDS = [
  [0, 100],
  [100, 8],
  [108, 8],
  [116, 8],
  [136, 12],
  [157, 100],
  [257, 8],
  [265, 32],
  [345, 155],
  [345, 12],
  [357, 12],
] as const

/** The attributes of an entry that both readers return. */
type CommonEntry = {
  name: string
  type: string
  mode: number
  uid: number
  gid: number
  mtime: number
  size: number
}

describeWithPeers(
  ['go'],
  "the scanner and Go's archive/tar, with which container runtimes read layers",
  () => {
    let folder = ''
    let goReader: ReaderProcess
    let archives = 0

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'archive-tar-'))
      goReader = (await EStargzReader.build()).startProcess()
    }, 300_000)
    afterAll(async () => {
      goReader[Symbol.dispose]()
      await rm(folder, { recursive: true, force: true })
    })

    /** Returns undefined if archive/tar rejects the archive. */
    async function readWithGo(archive: Buffer): Promise<CommonEntry[] | undefined> {
      const path = join(folder, `${archives++}`)
      await writeFile(path, archive)
      const { entries, error } = await goReader.read('tar', path)
      return error === undefined ? entries.map(fromGoEntry) : undefined
    }

    const cases: Record<string, Buffer> = {
      'a prefix in a GNU header': withGnuMagic(file('a', CONTENT, { prefix: 'usr/lib/node_modules' })),
      'times in a GNU header': withGnuMagic(file('a', CONTENT, { prefix: '00000000012\0'.repeat(2) })),
      'a prefix that is not ASCII in a GNU header': withGnuMagic(file('a', CONTENT, { prefix: 'ü' })),
      'numbers with a sign': file('a', CONTENT, {
        pax: { size: `+${CONTENT.length}`, uid: '+7', gid: '+0', mtime: '+5.25' },
      }),
      'a time before 1970 of less than a second': file('a', CONTENT, { pax: { mtime: '-0.5' } }),
      'a record whose length has a sign': Buffer.concat([paxHeader('+11 path=b\n'), file('a', CONTENT)]),
      'a record whose length is negative': Buffer.concat([paxHeader('-10 path=b\n'), file('a')]),
      'a NUL in a PAX path': file('a', CONTENT, { pax: { path: 'b\0c' } }),
      'a NUL in the key of an extended attribute': file('a', '', { pax: { 'SCHILY.xattr.user.a\0b': 'x' } }),
      'a global header between headers': Buffer.concat([
        paxHeader('10 path=b\n'),
        globalPax({ comment: 'x' }),
        file('a', CONTENT),
      ]),
      'an empty long name': Buffer.concat([
        file('', '', { gnu: true }).subarray(0, 1024),
        file('b', CONTENT),
      ]),
      '__proto__ as a name': Buffer.concat([
        dir('__proto__'),
        file('__proto__/__proto__', CONTENT, { uname: '__proto__' }),
        symlink('constructor', '__proto__'),
      ]),
    }

    it.each(Object.entries(cases))('read %s equally', async (_, entries) => {
      const archive = Buffer.concat([entries, Buffer.alloc(1024)])
      expect(readWithScanner(archive)).toEqual(await readWithGo(archive))
    })

    it('read truncated archives equally', async () => {
      const archive = buildTar(dir('usr'), file('usr/x', CONTENT))
      const contentEnd = 2 * 512 + CONTENT.length
      for (const length of [512, 700, contentEnd - 1, contentEnd, contentEnd + 1, 1536, 2048, 2300]) {
        const cut = archive.subarray(0, length)
        expect(readWithScanner(cut), `${length}`).toEqual(await readWithGo(cut))
      }
    })

    it('read headers with any bytes in their fields equally', async () => {
      const text = fc.oneof(
        fc.constantFrom(
          '',
          '0',
          '7\0',
          '00000000012\0',
          '-1',
          '+1',
          ' 12 ',
          '8',
          'usr/lib',
          'ustar  \0',
          'ustar\x0000',
        ),
        fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
        fc.string({ maxLength: 12 }),
      )
      const change = fc.record({ field: fc.constantFrom(...FIELDS), text, gnu: fc.boolean() })
      let accepted = 0
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
          const block = file('name', CONTENT)
          for (const { field, text, gnu } of changes) {
            const [start, length] = field
            block.fill(0, start, start + length)
            Buffer.from(text).copy(block, start, 0, length)
            if (gnu) block.write('ustar  \0', 257, 'latin1')
          }
          const archive = Buffer.concat([withChecksum(block), Buffer.alloc(1024)])
          const [expected, actual] = [await readWithGo(archive), readWithScanner(archive)]
          // Only the scanner rejects numbers that a JavaScript number cannot represent.
          if (actual !== undefined) expect(actual).toEqual(expected)
          if (
            expected?.every(({ mode, uid, gid, mtime }) =>
              [mode, uid, gid, mtime].every(Number.isSafeInteger),
            )
          )
            expect(actual).toEqual(expected)
          if (actual) accepted += 1
        }),
        { numRuns: 1500 },
      )
      expect(accepted).toBeGreaterThan(300)
    }, 120_000)
  },
)

/** Returns undefined if the scanner rejects the archive. The last entry of a name wins. */
function readWithScanner(archive: Buffer): CommonEntry[] | undefined {
  const scanner = new TarScanner(DEFAULT_LAYER_LIMITS)
  const entries = new Map<string, CommonEntry>()
  try {
    for (const events of [scanner.push(archive), scanner.end()]) {
      for (const event of events)
        if (event.kind === 'entry') entries.set(event.entry.name, fromTarEntry(event.entry))
    }
  } catch {
    return undefined
  }
  return [...entries.values()].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
}

function fromTarEntry({ name, type, mode, uid, gid, mtime, size }: TarEntry): CommonEntry {
  return { name: name.toWellFormed(), type, mode, uid, gid, mtime: mtime.seconds, size }
}

function fromGoEntry({ name, type, mode, uid, gid, mtime, size }: ReaderEntry): CommonEntry {
  return { name, type, mode, uid, gid, mtime, size }
}
