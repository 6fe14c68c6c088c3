import { BLOCK_BYTES } from './header.ts'

/** The fields of a ustar header; default: 0, or empty. */
export type UstarFields = {
  readonly name: Buffer
  readonly typeFlag: string
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  readonly size?: number
  readonly mtime?: number
  readonly uname?: Buffer
  readonly gname?: Buffer
}

/** The capacity of the fields, in bytes. */
const NAME_BYTES = 100
const OWNER_NAME_BYTES = 32
/** The largest numbers that the fields can represent. */
const MAX_ID = 0o7777777
const MAX_TIME = 0o77777777777

/** Encodes a header block. The values must fit their fields. */
export function encodeUstarHeader(fields: UstarFields): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES)
  const octal = (value: number, start: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, start, 'latin1')
  fields.name.copy(block, 0, 0, NAME_BYTES)
  octal(fields.mode ?? 0, 100, 8)
  octal(fields.uid ?? 0, 108, 8)
  octal(fields.gid ?? 0, 116, 8)
  octal(fields.size ?? 0, 124, 12)
  octal(fields.mtime ?? 0, 136, 12)
  block.write(`        ${fields.typeFlag}`, 148, 'latin1')
  block.write('ustar\x0000', 257, 'latin1')
  fields.uname?.copy(block, 265, 0, OWNER_NAME_BYTES)
  fields.gname?.copy(block, 297, 0, OWNER_NAME_BYTES)
  octal(0, 329, 8)
  octal(0, 337, 8)
  let sum = 0
  for (const byte of block) sum += byte
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

/** A directory to encode. `mtime` is in whole seconds since 1970. */
export type DirectoryFields = Required<Omit<UstarFields, 'typeFlag' | 'size'>> & {
  readonly xattrs: readonly (readonly [name: Buffer, value: Buffer])[]
}

/**
 * Encodes the headers of a directory: values that do not fit into the block go into a PAX header before it,
 * in a fixed order.
 */
export function encodeTarDirectory(directory: DirectoryFields): Buffer {
  const { name, uname, gname, uid, gid, mtime } = directory
  const records: Buffer[] = []
  const fitNumber = (key: string, value: number, max: number) => {
    if (value >= 0 && value <= max) return value
    records.push(encodePaxRecord(Buffer.from(key), Buffer.from(String(value))))
    return 0
  }
  const fitText = (key: string, value: Buffer, maxBytes: number) => {
    // Readers agree on the encoding of names that are not ASCII in PAX headers only.
    if (value.length <= maxBytes && value.every((byte) => byte < 0x80)) return value
    records.push(encodePaxRecord(Buffer.from(key), value))
    return value.subarray(0, maxBytes)
  }
  const fields = {
    ...directory,
    typeFlag: '5',
    name: fitText('path', name, NAME_BYTES),
    uid: fitNumber('uid', uid, MAX_ID),
    gid: fitNumber('gid', gid, MAX_ID),
    mtime: fitNumber('mtime', mtime, MAX_TIME),
    uname: fitText('uname', uname, OWNER_NAME_BYTES),
    gname: fitText('gname', gname, OWNER_NAME_BYTES),
  }
  for (const [key, value] of directory.xattrs) {
    records.push(encodePaxRecord(Buffer.concat([Buffer.from('SCHILY.xattr.'), key]), value))
  }
  const block = encodeUstarHeader(fields)
  if (records.length === 0) return block
  const pax = Buffer.concat(records)
  const paxHeader = encodeUstarHeader({
    name: Buffer.from('PaxHeaders/directory'),
    typeFlag: 'x',
    size: pax.length,
  })
  return Buffer.concat([
    paxHeader,
    pax,
    Buffer.alloc((BLOCK_BYTES - (pax.length % BLOCK_BYTES)) % BLOCK_BYTES),
    block,
  ])
}

/** Encodes `LENGTH KEY=VALUE\n`. The length includes its own digits. */
function encodePaxRecord(key: Buffer, value: Buffer): Buffer {
  const record = Buffer.concat([Buffer.from(' '), key, Buffer.from('='), value, Buffer.from('\n')])
  let length = record.length
  while (String(length).length + record.length !== length) length = String(length).length + record.length
  return Buffer.concat([Buffer.from(String(length)), record])
}
