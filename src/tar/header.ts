import { isAscii } from 'node:buffer'
import { LayerError } from './layer-error.ts'
import { cleanName, decodeName, quoteName } from './names.ts'
import { parsePaxInteger, parsePaxTime, readNumericField, readTextField, type TarTime } from './numbers.ts'

export const BLOCK_BYTES = 512

export type EntryType = 'reg' | 'dir' | 'symlink' | 'hardlink' | 'char' | 'block' | 'fifo'

/** One entry of a layer's archive, with its PAX and GNU extensions applied. */
export type TarEntry = {
  /** The clean name, relative to the root, which itself is the empty string. */
  name: string
  /** The name as the archive spells it, such as `./etc/`. */
  tarName: string
  type: EntryType
  /** The size of the content in bytes; 0 for everything but regular files. */
  size: number
  /** The target of a symlink or a hard link, as the archive spells it. */
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

/** The contents of the extension headers before an entry's own header. */
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
const NO_BYTES = Buffer.alloc(0)
const PREFIX_OFFSET = 345
/** The offsets of GNU's access time and inode change time, which take the place of ustar's prefix. */
export const GNU_TIMES = [345, 357] as const
export const TIME_BYTES = 12

const XATTR_PREFIX = 'SCHILY.xattr.'

/** The `xattrs` of every entry without extended attributes, which can thus be recognised by identity. */
export const NO_XATTRS: TarEntry['xattrs'] = Object.freeze({})

/**
 * Verifies the checksum of a header block and returns its type flag.
 * @param offset of the block in the archive
 * @throws LayerError CORRUPT_TAR
 */
export function readTypeFlag(block: Buffer, offset: number): string {
  const stored = readNumericField(block, 148, 8)
  if (stored !== computeChecksum(block) && stored !== computeChecksum(signedBytes(block))) {
    throw new LayerError(
      'CORRUPT_TAR',
      `there is no valid tar header at byte ${offset}: the checksum does not match`,
      { offset },
    )
  }
  return String.fromCharCode(block[156] ?? 0)
}

/** Some old writers summed signed bytes. */
function signedBytes(block: Buffer): Int8Array {
  return new Int8Array(block.buffer, block.byteOffset, BLOCK_BYTES)
}

/** Sums the bytes of a header block. The checksum field itself counts as blanks. */
function computeChecksum(block: Uint8Array | Int8Array): number {
  let sum = 8 * 0x20
  for (let i = 0; i < 148; i++) sum += block[i] ?? 0
  for (let i = 156; i < BLOCK_BYTES; i++) sum += block[i] ?? 0
  return sum
}

/**
 * Reads the size field of a header block.
 * @param offset of the block in the archive
 * @throws LayerError CORRUPT_TAR
 */
export function readSizeField(block: Buffer, offset: number): number {
  const size = readNumericField(block, 124, 12)
  if (size === undefined || size < 0) {
    throw new LayerError('CORRUPT_TAR', `the tar header at byte ${offset} has no valid size`, { offset })
  }
  return size
}

/**
 * Decodes an entry's own header block (POSIX ustar, PAX, GNU, star, v7) and applies its extensions with the
 * precedence of container runtimes: GNU long names over PAX over the block.
 * @param offset of the block in the archive
 * @throws LayerError CORRUPT_TAR, UNSUPPORTED_ENTRY
 */
export function decodeEntry(
  block: Buffer,
  typeFlag: string,
  extensions: Extensions,
  offset: number,
): TarEntry {
  const pax = extensions.pax
  const paxValue = (key: string) => {
    const value = pax?.get(key)
    return value !== undefined && value.length > 0 ? value : undefined
  }
  const magic = readMagic(block)
  const nameBytes = extensions.longName ?? paxValue('path') ?? readBlockName(block, magic)
  const tarName = decodeName(nameBytes)
  const readNumber = (start: number, length: number, fieldName: string, key?: string): number => {
    const value = key === undefined ? undefined : paxValue(key)
    if (key !== undefined && value !== undefined) return parsePaxInteger(key, value)
    const field = readNumericField(block, start, length)
    if (field === undefined) {
      throw new LayerError(
        'CORRUPT_TAR',
        `${quoteName(tarName)} has no valid ${fieldName} in its tar header`,
        { entry: tarName, offset },
      )
    }
    return field
  }
  const readText = (key: string, fallback: string) => {
    const value = paxValue(key)
    return value === undefined ? fallback : decodeName(value)
  }
  for (const key of pax?.keys() ?? [])
    if (key.startsWith('GNU.sparse.')) throw unsupportedEntry(tarName, 'a sparse file')

  const type = entryTypeOf(typeFlag, tarName)
  const size = readNumber(124, 12, 'size', 'size')
  if (size < 0) {
    throw new LayerError('CORRUPT_TAR', `${quoteName(tarName)} has a negative size`, {
      entry: tarName,
      offset,
    })
  }
  const mtime = paxValue('mtime')
  // Whether the block has the fields that ustar and GNU added to v7.
  const isExtended = magic.startsWith(USTAR) || magic === GNU_MAGIC
  const owner = isExtended ? readOwner(block) : NO_OWNER
  const isDevice = type === 'char' || type === 'block'
  const entry: TarEntry = {
    name: cleanName(tarName),
    tarName,
    type,
    // Old writers give directories and links, which have no content in the archive, the size of the file that
    // they name.
    size: type === 'reg' ? size : 0,
    mode: readNumber(100, 8, 'mode'),
    uid: readNumber(108, 8, 'uid', 'uid'),
    gid: readNumber(116, 8, 'gid', 'gid'),
    uname: readText('uname', owner.uname),
    gname: readText('gname', owner.gname),
    mtime: mtime ? parsePaxTime('mtime', mtime) : { seconds: readNumber(136, 12, 'mtime'), nanoseconds: 0 },
    devMajor: isDevice && isExtended ? readNumber(329, 8, 'device number') : 0,
    devMinor: isDevice && isExtended ? readNumber(337, 8, 'device number') : 0,
    xattrs: pax ? decodeXattrs(pax) : NO_XATTRS,
  }
  if (type === 'symlink' || type === 'hardlink') {
    entry.linkName = decodeName(extensions.longLink ?? paxValue('linkpath') ?? readTextField(block, 157, 100))
  }
  return entry
}

function entryTypeOf(typeFlag: string, tarName: string): EntryType {
  // v7 has no type flags for files and directories.
  if (typeFlag === '\0') return tarName.endsWith('/') ? 'dir' : 'reg'
  const type = TYPES[typeFlag]
  if (type !== undefined) return type
  if (typeFlag === 'S') throw unsupportedEntry(tarName, 'a sparse file')
  throw unsupportedEntry(tarName, `of the tar type ${JSON.stringify(typeFlag)}`)
}

function decodeXattrs(pax: Map<string, Buffer>): Record<string, Buffer> {
  const xattrs: [string, Buffer][] = []
  for (const [key, value] of pax) {
    if (!key.startsWith(XATTR_PREFIX)) continue
    xattrs.push([decodeName(Buffer.from(key.slice(XATTR_PREFIX.length), 'latin1')), Buffer.from(value)])
  }
  return xattrs.length === 0 ? NO_XATTRS : Object.fromEntries(xattrs)
}

/** The names of the user and the group in a header block. */
type Owner = { readonly uname: string; readonly gname: string }
const NO_OWNER: Owner = { uname: '', gname: '' }
const OWNER_FIELDS = { start: 265, group: 297, end: 329, length: 32 } as const
/** A cache of the last owner and its bytes: consecutive entries usually have the same one. */
let lastOwner: { readonly bytes: Buffer; readonly owner: Owner } = {
  bytes: Buffer.alloc(64),
  owner: NO_OWNER,
}

function readOwner(block: Buffer): Owner {
  const { start, group, end, length } = OWNER_FIELDS
  if (block.compare(lastOwner.bytes, 0, end - start, start, end) === 0) return lastOwner.owner
  const owner = {
    uname: decodeName(readTextField(block, start, length)),
    gname: decodeName(readTextField(block, group, length)),
  }
  lastOwner = { bytes: Buffer.from(block.subarray(start, end)), owner }
  return owner
}

/** Reads the magic and the version of a header block: {@link GNU_MAGIC}, or `ustar` and a version. */
export function readMagic(block: Buffer): string {
  return block.toString('latin1', 257, 265)
}

/** Whether a ustar header block was written by star, whose blocks end with other fields. */
export function isStarHeader(block: Buffer): boolean {
  return block.toString('latin1', 508, 512) === 'tar\0'
}

/** Reads the name in the block itself. */
function readBlockName(block: Buffer, magic: string): Buffer {
  const name = readTextField(block, 0, 100)
  const prefix = readPrefix(block, magic)
  return prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name])
}

/**
 * Reads the leading part of a name, for which ustar and star have a field. GNU has times in its place, but
 * Go's writer before 1.8 stored a prefix there as well. As in Go's reader, fields that are not times are a
 * prefix.
 */
function readPrefix(block: Buffer, magic: string): Buffer {
  if (block[PREFIX_OFFSET] === 0) return NO_BYTES
  if (magic.startsWith(USTAR)) return readTextField(block, PREFIX_OFFSET, isStarHeader(block) ? 131 : 155)
  if (magic !== GNU_MAGIC) return NO_BYTES
  if (GNU_TIMES.every((offset) => readNumericField(block, offset, TIME_BYTES) !== undefined)) return NO_BYTES
  const prefix = readTextField(block, PREFIX_OFFSET, 155)
  return isAscii(prefix) ? prefix : NO_BYTES
}

function unsupportedEntry(tarName: string, description: string): LayerError {
  return new LayerError(
    'UNSUPPORTED_ENTRY',
    `${quoteName(tarName)} is ${description}, which eStargz cannot represent; leave the layer as it is, or rebuild it without that entry`,
    { entry: tarName },
  )
}
