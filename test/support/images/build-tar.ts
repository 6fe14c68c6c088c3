/**
 * Attributes of an entry. By default, it belongs to root, has mode 0644 (directories: 0755) and the date
 * 2020-01-01.
 */
export type EntryAttributes = {
  mode?: number
  uid?: number
  gid?: number
  uname?: string
  gname?: string
  /** Seconds since 1970. */
  mtime?: number
  /** Records of a PAX header before the entry. Values may be any bytes. */
  pax?: Record<string, string | Buffer>
  /** Puts the name, or the link's target, into a GNU long name entry. */
  gnu?: boolean
  /** Writes the size in base-256. */
  base256?: boolean
  /** The ustar prefix field, which GNU headers do not have. */
  prefix?: string | Buffer
}

const BLOCK = 512

/** Builds a tar archive of entries, with its end-of-archive mark. */
export function buildTar(...entries: Buffer[]): Buffer {
  return Buffer.concat([...entries, Buffer.alloc(2 * BLOCK)])
}

/** A regular file. */
export function file(
  name: string | Buffer,
  content: string | Buffer = '',
  attributes: EntryAttributes = {},
): Buffer {
  return entry('0', name, { mode: 0o644, ...attributes }, Buffer.from(content))
}

/** A directory. A missing trailing slash is added to the name. */
export function dir(name: string | Buffer, attributes: EntryAttributes = {}): Buffer {
  const bytes = Buffer.from(name)
  const slash = bytes.at(-1) === 0x2f ? '' : '/'
  return entry('5', Buffer.concat([bytes, Buffer.from(slash)]), { mode: 0o755, ...attributes })
}

export function symlink(name: string, target: string | Buffer, attributes: EntryAttributes = {}): Buffer {
  return entry('2', name, { mode: 0o777, ...attributes }, undefined, target)
}

export function hardlink(name: string, target: string, attributes: EntryAttributes = {}): Buffer {
  return entry('1', name, { mode: 0o644, ...attributes }, undefined, target)
}

/** A device node. */
export function device(
  kind: 'char' | 'block',
  name: string,
  major: number,
  minor: number,
  attributes: EntryAttributes = {},
): Buffer {
  const flag = kind === 'char' ? '3' : '4'
  return entry(flag, name, { mode: 0o600, ...attributes }, undefined, '', [major, minor])
}

export function fifo(name: string, attributes: EntryAttributes = {}): Buffer {
  return entry('6', name, { mode: 0o644, ...attributes })
}

/** A PAX header with any content, for the entry after it. */
export function paxHeader(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content)
  return withContent(header('x', Buffer.from('PaxHeaders/x'), {}, bytes.length), bytes)
}

/** A global PAX header, which archives of `git archive` start with. */
export function globalPax(records: Record<string, string | Buffer>): Buffer {
  return withContent(
    header('g', Buffer.from('pax_global_header'), {}, paxRecords(records).length),
    paxRecords(records),
  )
}

/** An entry with any type flag, also an unsupported one. */
export function entryOfType(flag: string, name: string): Buffer {
  return entry(flag, name, {})
}

function entry(
  flag: string,
  name: string | Buffer,
  attributes: EntryAttributes,
  content: Buffer = Buffer.alloc(0),
  target: string | Buffer = '',
  device: [number, number] = [0, 0],
): Buffer {
  const nameBytes = Buffer.from(name)
  const targetBytes = Buffer.from(target)
  const before: Buffer[] = []
  if (attributes.gnu) {
    if (targetBytes.length > 0) before.push(gnuLong('K', targetBytes))
    before.push(gnuLong('L', nameBytes))
  }
  const pax = { ...attributes.pax }
  if (!attributes.gnu && nameBytes.length > 100) pax.path ??= nameBytes
  if (!attributes.gnu && targetBytes.length > 100) pax.linkpath ??= targetBytes
  if (Object.keys(pax).length > 0) {
    before.push(paxHeader(paxRecords(pax)))
  }
  const own = header(flag, nameBytes, attributes, content.length, targetBytes, device)
  return Buffer.concat([...before, withContent(own, content)])
}

function gnuLong(flag: 'K' | 'L', text: Buffer): Buffer {
  const content = Buffer.concat([text, Buffer.from('\0')])
  return withContent(header(flag, Buffer.from('././@LongLink'), { gnu: true }, content.length), content)
}

/** Encodes PAX records. The length of a record includes the digits of the length itself. */
function paxRecords(records: Record<string, string | Buffer>): Buffer {
  return Buffer.concat(
    Object.entries(records).map(([key, value]) => {
      const record = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')])
      let length = record.length
      while (String(length).length + record.length !== length) length = String(length).length + record.length
      return Buffer.concat([Buffer.from(String(length)), record])
    }),
  )
}

function header(
  flag: string,
  name: Buffer,
  attributes: EntryAttributes,
  size: number,
  target: Buffer = Buffer.alloc(0),
  device: [number, number] = [0, 0],
): Buffer {
  const block = Buffer.alloc(BLOCK)
  const octal = (value: number, offset: number, length: number) =>
    block.write(value.toString(8).padStart(length - 1, '0'), offset, 'latin1')
  name.copy(block, 0, 0, 100)
  octal(attributes.mode ?? 0o644, 100, 8)
  octal(attributes.uid ?? 0, 108, 8)
  octal(attributes.gid ?? 0, 116, 8)
  if (attributes.base256) {
    block[124] = 0x80
    block.writeUIntBE(size, 130, 6)
  } else octal(size, 124, 12)
  octal(attributes.mtime ?? 1577836800, 136, 12)
  block.write(flag, 156, 'latin1')
  target.copy(block, 157, 0, 100)
  block.write(attributes.gnu ? 'ustar  \0' : 'ustar\x0000', 257, 'latin1')
  block.write(attributes.uname ?? '', 265, 'utf8')
  block.write(attributes.gname ?? '', 297, 'utf8')
  octal(device[0], 329, 8)
  octal(device[1], 337, 8)
  Buffer.from(attributes.prefix ?? '').copy(block, 345)
  return withChecksum(block)
}

/** Returns the entry with a correct checksum in its header. */
export function withChecksum(entry: Buffer): Buffer {
  const bytes = Buffer.from(entry)
  bytes.write('        ', 148, 'latin1')
  const sum = bytes.subarray(0, BLOCK).reduce((total, byte) => total + byte, 0)
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return bytes
}

/** Returns the entry with the magic of GNU in its header. Its other fields stay. */
export function withGnuMagic(entry: Buffer): Buffer {
  const bytes = Buffer.from(entry)
  bytes.write('ustar  \0', 257, 'latin1')
  return withChecksum(bytes)
}

function withContent(head: Buffer, content: Buffer): Buffer {
  return Buffer.concat([head, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)])
}
