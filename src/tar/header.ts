import { isAscii } from 'node:buffer'
import { LayerError } from './errors.ts'
import { cleanName, nameOfBytes, quote } from './names.ts'
import { fieldBytes, numericField, paxInteger, paxTime, type TarTime } from './numbers.ts'

export const BLOCK = 512

export type EntryType = 'reg' | 'dir' | 'symlink' | 'hardlink' | 'char' | 'block' | 'fifo'

/** One entry of a layer's archive, extensions applied. */
export type TarEntry = {
  /** Relative to the root, clean; the root itself is the empty string. */
  name: string
  /** As the archive spells it, such as `./etc/`. */
  tarName: string
  type: EntryType
  /** Bytes of content; 0 for everything but regular files. */
  size: number
  /** As the archive spells it; for symlinks and hard links only. */
  linkName?: string
  mode: number
  uid: number
  gid: number
  uname: string
  gname: string
  mtime: TarTime
  devMajor: number
  devMinor: number
  xattrs: Record<string, Buffer>
}

/** What the headers before an entry's own said about it. */
export type Extensions = {
  pax?: Map<string, Buffer>
  longName?: Buffer | undefined
  longLink?: Buffer | undefined
}

const TYPES: Record<string, EntryType> = {
  '0': 'reg',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'dir',
  '6': 'fifo',
}

const USTAR = 'ustar\0'
export const GNU_MAGIC = 'ustar  \0'
const NOTHING = Buffer.alloc(0)
const PREFIX = 345
/** When a file was read and when its inode changed, in the place of a prefix. */
export const GNU_TIMES = [345, 357] as const
export const TIME_BYTES = 12

const XATTR_PREFIX = 'SCHILY.xattr.'

/** Of every entry without any, so that those are known by it. */
export const NO_XATTRS: TarEntry['xattrs'] = Object.freeze({})

/** The type flag of a header block, checked for its sum. @throws LayerError CORRUPT_TAR */
export function typeFlagOf(block: Buffer, offset: number): string {
  const stored = numericField(block, 148, 8)
  // The sum counts its own field as blanks. Some old writers summed signed bytes.
  if (stored !== sumOf(block) && stored !== sumOf(new Int8Array(block.buffer, block.byteOffset, BLOCK))) {
    throw new LayerError('CORRUPT_TAR', `no tar header at byte ${offset}: its checksum does not match`, {
      offset,
    })
  }
  return String.fromCharCode(block[156] ?? 0)
}

function sumOf(block: Uint8Array | Int8Array): number {
  let sum = 8 * 0x20
  for (let i = 0; i < 148; i++) sum += block[i] ?? 0
  for (let i = 156; i < BLOCK; i++) sum += block[i] ?? 0
  return sum
}

/** The size field of a header block. @throws LayerError CORRUPT_TAR */
export function sizeField(block: Buffer, offset: number): number {
  const size = numericField(block, 124, 12)
  if (size === undefined || size < 0) {
    throw new LayerError('CORRUPT_TAR', `the tar header at byte ${offset} has no valid size`, { offset })
  }
  return size
}

/**
 * Decodes an entry's own header block (POSIX ustar, PAX, GNU, star, v7) under its extensions, with the
 * precedence that container runtimes give them: GNU long names over PAX over the block.
 * @throws LayerError CORRUPT_TAR, UNSUPPORTED_ENTRY
 */
export function decodeEntry(block: Buffer, flag: string, extensions: Extensions, offset: number): TarEntry {
  const pax = extensions.pax
  const record = (key: string) => {
    const value = pax?.get(key)
    return value !== undefined && value.length > 0 ? value : undefined
  }
  const magic = magicOf(block)
  const nameBytes = extensions.longName ?? record('path') ?? blockName(block, magic)
  const tarName = nameOfBytes(nameBytes)
  const number = (start: number, length: number, what: string, key?: string): number => {
    const value = key === undefined ? undefined : record(key)
    if (key !== undefined && value !== undefined) return paxInteger(key, value)
    const field = numericField(block, start, length)
    if (field === undefined) {
      throw new LayerError('CORRUPT_TAR', `${quote(tarName)} has no valid ${what} in its tar header`, {
        entry: tarName,
        offset,
      })
    }
    return field
  }
  const text = (key: string, otherwise: string) => {
    const value = record(key)
    return value === undefined ? otherwise : nameOfBytes(value)
  }
  for (const key of pax?.keys() ?? [])
    if (key.startsWith('GNU.sparse.')) throw unsupported(tarName, 'a sparse file')

  const type = entryType(flag, tarName)
  const size = number(124, 12, 'size', 'size')
  if (size < 0)
    throw new LayerError('CORRUPT_TAR', `${quote(tarName)} has a negative size`, { entry: tarName, offset })
  const mtime = record('mtime')
  // Fields that ustar and GNU added to v7.
  const extended = magic.startsWith(USTAR) || magic === GNU_MAGIC
  const owner = extended ? ownerOf(block) : NOBODY
  const device = type === 'char' || type === 'block'
  const entry: TarEntry = {
    name: cleanName(tarName),
    tarName,
    type,
    // Old writers give links and directories the size of what they stand for, and no content.
    size: type === 'reg' ? size : 0,
    mode: number(100, 8, 'mode'),
    uid: number(108, 8, 'uid', 'uid'),
    gid: number(116, 8, 'gid', 'gid'),
    uname: text('uname', owner.uname),
    gname: text('gname', owner.gname),
    mtime: mtime ? paxTime('mtime', mtime) : { seconds: number(136, 12, 'mtime'), nanoseconds: 0 },
    devMajor: device && extended ? number(329, 8, 'device number') : 0,
    devMinor: device && extended ? number(337, 8, 'device number') : 0,
    xattrs: pax ? xattrsOf(pax) : NO_XATTRS,
  }
  if (type === 'symlink' || type === 'hardlink') {
    entry.linkName = nameOfBytes(extensions.longLink ?? record('linkpath') ?? fieldBytes(block, 157, 100))
  }
  return entry
}

function entryType(flag: string, tarName: string): EntryType {
  // v7 archives know neither the flag for files nor the one for directories.
  if (flag === '\0') return tarName.endsWith('/') ? 'dir' : 'reg'
  const type = TYPES[flag]
  if (type !== undefined) return type
  if (flag === 'S') throw unsupported(tarName, 'a sparse file')
  throw unsupported(tarName, `of the tar type ${JSON.stringify(flag)}`)
}

function xattrsOf(pax: Map<string, Buffer>): Record<string, Buffer> {
  const found: [string, Buffer][] = []
  for (const [key, value] of pax) {
    if (!key.startsWith(XATTR_PREFIX)) continue
    found.push([nameOfBytes(Buffer.from(key.slice(XATTR_PREFIX.length), 'latin1')), Buffer.from(value)])
  }
  return found.length === 0 ? NO_XATTRS : Object.fromEntries(found)
}

/** Names of a user and a group, as a block has them. */
type Owner = { readonly uname: string; readonly gname: string }
const NOBODY: Owner = { uname: '', gname: '' }
const OWNER = { start: 265, group: 297, end: 329, length: 32 } as const
/** The owner decoded last, and its bytes: entries often share theirs. */
let last: { readonly bytes: Buffer; readonly owner: Owner } = { bytes: Buffer.alloc(64), owner: NOBODY }

function ownerOf(block: Buffer): Owner {
  const { start, group, end, length } = OWNER
  if (block.compare(last.bytes, 0, end - start, start, end) === 0) return last.owner
  const owner = {
    uname: nameOfBytes(fieldBytes(block, start, length)),
    gname: nameOfBytes(fieldBytes(block, group, length)),
  }
  last = { bytes: Buffer.from(block.subarray(start, end)), owner }
  return owner
}

/** By what a header block calls itself: {@link GNU_MAGIC}, or `ustar` and a version. */
export function magicOf(block: Buffer): string {
  return block.toString('latin1', 257, 265)
}

/** Whether a block of ustar is star's, which has other fields at its end. */
export function isStar(block: Buffer): boolean {
  return block.toString('latin1', 508, 512) === 'tar\0'
}

/** The block's own name. */
function blockName(block: Buffer, magic: string): Buffer {
  const name = fieldBytes(block, 0, 100)
  const prefix = prefixOf(block, magic)
  return prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name])
}

/**
 * The leading part of a name: ustar and star have a field for it. GNU has times in its place, but writers of Go before 1.8
 * put a prefix there all the same. As Go's reader does, what is no time is taken for one.
 */
function prefixOf(block: Buffer, magic: string): Buffer {
  if (block[PREFIX] === 0) return NOTHING
  if (magic.startsWith(USTAR)) return fieldBytes(block, PREFIX, isStar(block) ? 131 : 155)
  if (magic !== GNU_MAGIC) return NOTHING
  if (GNU_TIMES.every((at) => numericField(block, at, TIME_BYTES) !== undefined)) return NOTHING
  const prefix = fieldBytes(block, PREFIX, 155)
  return isAscii(prefix) ? prefix : NOTHING
}

function unsupported(tarName: string, what: string): LayerError {
  return new LayerError(
    'UNSUPPORTED_ENTRY',
    `${quote(tarName)} is ${what}, which eStargz cannot hold; leave the layer as it is, or rebuild it without that entry`,
    { entry: tarName },
  )
}
