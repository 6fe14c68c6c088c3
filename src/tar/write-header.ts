import { BLOCK } from './header.ts'

/** What a ustar header says; what is left out is 0, or empty. */
export type UstarFields = {
  readonly name: Buffer
  /** The type of the entry. */
  readonly flag: string
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  readonly size?: number
  readonly mtime?: number
  readonly uname?: Buffer
  readonly gname?: Buffer
}

/** What the fields of a block hold. */
const MAX_NAME = 100
const MAX_OWNER_NAME = 32
const MAX_ID = 0o7777777
const MAX_TIME = 0o77777777777

/** A header block; its fields have to fit. */
export function ustarHeader(fields: UstarFields): Buffer {
  const block = Buffer.alloc(BLOCK)
  const octal = (value: number, start: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, start, 'latin1')
  fields.name.copy(block, 0, 0, MAX_NAME)
  octal(fields.mode ?? 0, 100, 8)
  octal(fields.uid ?? 0, 108, 8)
  octal(fields.gid ?? 0, 116, 8)
  octal(fields.size ?? 0, 124, 12)
  octal(fields.mtime ?? 0, 136, 12)
  block.write(`        ${fields.flag}`, 148, 'latin1')
  block.write('ustar\x0000', 257, 'latin1')
  fields.uname?.copy(block, 265, 0, MAX_OWNER_NAME)
  fields.gname?.copy(block, 297, 0, MAX_OWNER_NAME)
  octal(0, 329, 8)
  octal(0, 337, 8)
  let sum = 0
  for (const byte of block) sum += byte
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

/** A directory to be written; its time is whole seconds since 1970, its extended attributes bytes by name. */
export type DirectoryFields = Required<Omit<UstarFields, 'flag' | 'size'>> & {
  readonly xattrs: readonly (readonly [name: Buffer, value: Buffer])[]
}

/** The headers of a directory: what does not fit into a block goes into a PAX header before it, in a fixed order. */
export function directoryHeader(directory: DirectoryFields): Buffer {
  const { name, uname, gname, uid, gid, mtime } = directory
  const records: Buffer[] = []
  const number = (key: string, value: number, most: number) => {
    if (value >= 0 && value <= most) return value
    records.push(paxRecord(Buffer.from(key), Buffer.from(String(value))))
    return 0
  }
  const text = (key: string, value: Buffer, most: number) => {
    // Readers take a name that is not ASCII as what it is in PAX headers alone.
    if (value.length <= most && value.every((byte) => byte < 0x80)) return value
    records.push(paxRecord(Buffer.from(key), value))
    return value.subarray(0, most)
  }
  const fields = {
    ...directory,
    flag: '5',
    name: text('path', name, MAX_NAME),
    uid: number('uid', uid, MAX_ID),
    gid: number('gid', gid, MAX_ID),
    mtime: number('mtime', mtime, MAX_TIME),
    uname: text('uname', uname, MAX_OWNER_NAME),
    gname: text('gname', gname, MAX_OWNER_NAME),
  }
  for (const [key, value] of directory.xattrs) {
    records.push(paxRecord(Buffer.concat([Buffer.from('SCHILY.xattr.'), key]), value))
  }
  const block = ustarHeader(fields)
  if (records.length === 0) return block
  const pax = Buffer.concat(records)
  const before = ustarHeader({ name: Buffer.from('PaxHeaders/directory'), flag: 'x', size: pax.length })
  return Buffer.concat([before, pax, Buffer.alloc((BLOCK - (pax.length % BLOCK)) % BLOCK), block])
}

/** `LENGTH KEY=VALUE\n`, the length counting its own digits. */
function paxRecord(key: Buffer, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(' '), key, Buffer.from('='), value, Buffer.from('\n')])
  let length = rest.length
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return Buffer.concat([Buffer.from(String(length)), rest])
}
