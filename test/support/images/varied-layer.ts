import { createHash } from 'node:crypto'
import { device, dir, fifo, file, globalPax, hardlink, symlink, buildTar } from './build-tar.ts'

/** `security.capability` of a program that may bind low ports (VFS_CAP_REVISION_2), which is no text. */
const CAPABILITY = Buffer.from('0100000200040000000000000000000000000000', 'hex')
const NOT_UTF8 = Buffer.from([0, 0xff, 0xc0, 0x0a, 0x3d, 0x80])

/** A name that neither a ustar header nor its prefix holds. */
export const LONG_NAME = `usr/share/${'long-folder-name/'.repeat(9)}${'x'.repeat(60)}.txt`

/** Bytes of the same kind for a seed: words of text, or such that deflate finds nothing. */
export function generateContent(kind: 'text' | 'random', seed: number, length: number): Buffer {
  const parts: Buffer[] = []
  for (let have = 0, i = 0; have < length; i++) {
    const block = createHash('sha256').update(`${seed} ${i}`).digest()
    const part = kind === 'random' ? block : Buffer.from(words(block))
    parts.push(part)
    have += part.length
  }
  return Buffer.concat(parts).subarray(0, length)
}

/** About 200 bytes of lines with words that come again. */
const words = (block: Buffer) =>
  Array.from(block, (byte) => (byte % 9 === 0 ? `\n${byte}: ` : `word${byte % 50} `)).join('')

/** A layer of {@link buildVariedEntries}, and of what few layers have: a global header, a name that stands twice. */
export function buildVariedLayer(chunk: number): Buffer {
  return buildTar(
    globalPax({ comment: 'as git archive writes' }),
    ...buildVariedEntries(chunk),
    file('./twice', 'first'),
    file('./twice', generateContent('text', 9, 700)),
  )
}

/**
 * Everything that root file systems hold, files below, at and above a chunk's size.
 * @param chunk a chunk's most bytes
 */
export function buildVariedEntries(chunk: number): Buffer[] {
  return [
    dir('./'),
    dir('./usr', { mtime: 1234567890 }),
    dir('./usr/bin'),
    file('./usr/bin/tool', generateContent('text', 1, 3 * chunk + 777), { mode: 0o4755, uid: 1000, gid: 2000 }),
    hardlink('./usr/bin/alias', 'usr/bin/tool'),
    file('./usr/bin/capable', 'capable', { pax: { 'SCHILY.xattr.security.capability': CAPABILITY } }),
    file('./usr/bin/marked', generateContent('random', 2, 999), {
      pax: { 'SCHILY.xattr.user.odd': NOT_UTF8, 'SCHILY.xattr.user.plain': 'text', mtime: '1500000000.25' },
    }),
    symlink('./bin', 'usr/bin'),
    dir('./sizes'),
    file('./sizes/none'),
    file('./sizes/one', 'x'),
    file('./sizes/under', generateContent('text', 3, chunk - 1)),
    file('./sizes/exact', generateContent('text', 4, chunk)),
    file('./sizes/above', generateContent('random', 5, chunk + 1)),
    file('./sizes/twice', generateContent('random', 6, 2 * chunk)),
    file('./sizes/zeros', Buffer.alloc(2 * chunk + 5)),
    file('./sizes/base256', generateContent('text', 7, 5000), { base256: true }),
    file('./sizes/none-again'),
    ...Array.from({ length: 40 }, (_, i) => file(`./sizes/small-${i}`, generateContent('text', 100 + i, i * 131))),
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
