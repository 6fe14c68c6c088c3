import { createHash } from 'node:crypto'
import { buildTar, device, dir, fifo, file, globalPax, hardlink, symlink } from './build-tar.ts'

/** The binary `security.capability` attribute (VFS_CAP_REVISION_2) of a program that may bind low ports. */
const CAPABILITY = Buffer.from('0100000200040000000000000000000000000000', 'hex')
const NOT_UTF8 = Buffer.from([0, 0xff, 0xc0, 0x0a, 0x3d, 0x80])

/** A name that is too long for a ustar header, even with its prefix field. */
export const LONG_NAME = `usr/share/${'long-folder-name/'.repeat(9)}${'x'.repeat(60)}.txt`

/** Generates bytes that a seed determines: words of text, or bytes that deflate cannot compress. */
export function generateContent(kind: 'text' | 'random', seed: number, length: number): Buffer {
  const parts: Buffer[] = []
  for (let generated = 0, i = 0; generated < length; i++) {
    const block = createHash('sha256').update(`${seed} ${i}`).digest()
    const part = kind === 'random' ? block : Buffer.from(toWords(block))
    parts.push(part)
    generated += part.length
  }
  return Buffer.concat(parts).subarray(0, length)
}

/** Returns about 200 bytes of text with recurring words. */
const toWords = (block: Buffer) =>
  Array.from(block, (byte) => (byte % 9 === 0 ? `\n${byte}: ` : `word${byte % 50} `)).join('')

/** A layer of {@link buildVariedEntries}, a global header and a duplicate name, which few layers have. */
export function buildVariedLayer(chunkSize: number): Buffer {
  return buildTar(
    globalPax({ comment: 'as git archive writes' }),
    ...buildVariedEntries(chunkSize),
    file('./twice', 'first'),
    file('./twice', generateContent('text', 9, 700)),
  )
}

/**
 * Entries of every type and attribute that root file systems have, with files below, at and above the chunk
 * size.
 */
export function buildVariedEntries(chunkSize: number): Buffer[] {
  return [
    dir('./'),
    dir('./usr', { mtime: 1234567890 }),
    dir('./usr/bin'),
    file('./usr/bin/tool', generateContent('text', 1, 3 * chunkSize + 777), {
      mode: 0o4755,
      uid: 1000,
      gid: 2000,
    }),
    hardlink('./usr/bin/alias', 'usr/bin/tool'),
    file('./usr/bin/capable', 'capable', { pax: { 'SCHILY.xattr.security.capability': CAPABILITY } }),
    file('./usr/bin/marked', generateContent('random', 2, 999), {
      pax: { 'SCHILY.xattr.user.odd': NOT_UTF8, 'SCHILY.xattr.user.plain': 'text', mtime: '1500000000.25' },
    }),
    symlink('./bin', 'usr/bin'),
    dir('./sizes'),
    file('./sizes/none'),
    file('./sizes/one', 'x'),
    file('./sizes/under', generateContent('text', 3, chunkSize - 1)),
    file('./sizes/exact', generateContent('text', 4, chunkSize)),
    file('./sizes/above', generateContent('random', 5, chunkSize + 1)),
    file('./sizes/twice', generateContent('random', 6, 2 * chunkSize)),
    file('./sizes/zeros', Buffer.alloc(2 * chunkSize + 5)),
    file('./sizes/base256', generateContent('text', 7, 5000), { base256: true }),
    file('./sizes/none-again'),
    ...Array.from({ length: 40 }, (_, i) =>
      file(`./sizes/small-${i}`, generateContent('text', 100 + i, i * 131)),
    ),
    file('./etc/of-1970', 'without a time', { mtime: 0 }),
    file(LONG_NAME, generateContent('text', 8, 4000)),
    file(`${LONG_NAME}.gnu`, 'a long name by GNU tar', { gnu: true }),
    symlink('./to-long', `/${LONG_NAME}`),
    hardlink('./sizes/linked', LONG_NAME),
    dir('./etc'),
    file('./etc/.wh.gone'),
    dir('./opaque'),
    file('./opaque/.wh..wh..opq'),
    file('./opaque/shown', 'shown'),
    file('./etc/names', 'of users', { uname: 'somebody', gname: 'everybody' }),
    file('./na\u00efve \u2603', 'a name in UTF-8', { pax: { path: './na\u00efve \u2603' } }),
    dir('./dev'),
    device('char', './dev/null', 1, 3, { mode: 0o666 }),
    device('block', './dev/disk', 8, 17),
    fifo('./dev/pipe'),
  ]
}
