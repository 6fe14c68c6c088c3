import { Crc64 } from '../../bytes/crc64.ts'
import type { MemberCompressor } from '../../compression/member-compressor.ts'
import { type Digest, digestOf } from '../../oci/digest.ts'
import { isWhiteout } from '../../rootfs/whiteouts.ts'
import type { TarEntry } from '../../tar/header.ts'
import { type LayerLimits, maxCompressedTocBytes } from '../../tar/limits.ts'
import { quote } from '../../tar/names.ts'
import { type TarEvent, TarScanner } from '../../tar/scanner.ts'
import { type HeaderTimes, timesOfHeader } from './header-times.ts'
import { PathsThroughLinks } from './paths-through-links.ts'

/** Kinds of lines (vbatts/tar-split 0.12 `tar/storage`): a file's content, and bytes of the archive as they are. */
const FILE = 1
const SEGMENT = 2

/** Entries whose times are kept until the table of contents is written: some 300 bytes each. */
const MAX_TIMES = 300_000
/** Lines are compressed in frames of about this size. */
const FRAME_BYTES = 1 << 20
const NO_BYTES = Buffer.alloc(0)

/** The compressed lines; sizes are bytes. */
export type TarSplit = { readonly packed: Buffer; readonly plainSize: number; readonly digest: Digest }

/**
 * Writes the data of tar-split (vbatts/tar-split 0.12) for an archive that goes by: JSON lines with every byte that is no
 * content of a file, and with the name, size and CRC-64 of each content. Out of these and the files, containers/storage
 * puts the archive together again.
 */
export class TarSplitWriter {
  readonly #compressor: MemberCompressor
  readonly #limits: LayerLimits
  readonly #scanner: TarScanner
  readonly #frames: Buffer[] = []
  readonly #paths = new PathsThroughLinks()
  readonly #times = new Map<number, HeaderTimes>()
  #plainSize = 0
  #packedSize = 0
  #text = ''
  #lines = 0
  #entries = 0
  /** Padding and what else belongs to no header, until the next one. */
  #before: Buffer[] = []
  #current: { readonly entry: TarEntry; readonly crc: Crc64 } | undefined
  #problem: string | undefined

  constructor(compressor: MemberCompressor, limits: LayerLimits) {
    this.#compressor = compressor
    this.#limits = limits
    // The source was held against the limits, and the result has a landmark more.
    this.#scanner = new TarScanner({ ...limits, maxEntries: Number.MAX_SAFE_INTEGER })
  }

  /** How many entries the archive has. */
  get entries(): number {
    return this.#entries
  }

  /** Takes the next bytes of the archive. */
  push(bytes: Buffer): void {
    if (this.#problem !== undefined) return
    for (const event of this.#scanner.push(bytes)) this.#take(event)
  }

  /** Times of an entry, by its place in the archive, of which a table of contents has other ones. */
  times(place: number): HeaderTimes | undefined {
    return this.#times.get(place)
  }

  /**
   * Call once, at the end of the archive.
   * @returns the data, or why containers/storage would refuse an image with it
   */
  finish(): TarSplit | string {
    if (this.#before.length > 0) this.#segment(NO_BYTES)
    this.#pack()
    if (this.#problem !== undefined) return this.#problem
    const packed = Buffer.concat(this.#frames)
    return { packed, plainSize: this.#plainSize, digest: digestOf(packed) }
  }

  #take(event: TarEvent): void {
    if (event.kind === 'entry') this.#begin(event.entry, event.header)
    else if (event.kind === 'content') this.#current?.crc.add(event.bytes)
    else if (event.kind === 'end') this.#end()
    else if (event.kind !== 'missing') this.#before.push(Buffer.from(event.bytes))
  }

  #begin(entry: TarEntry, header: Buffer): void {
    this.#segment(header)
    const times = timesOfHeader(entry, header)
    if (times === undefined) this.#problem ??= `${quote(entry.tarName)} has a header that it reads otherwise`
    else if (Object.keys(times).length > 0) this.#keep(times)
    this.#problem ??= problemOf(entry)
    if (this.#paths.take(entry.name, entry.type === 'symlink')) {
      this.#problem ??= `${quote(entry.tarName)} lies below a symlink of the layer, or other entries below it`
    }
    this.#entries += 1
    this.#current = { entry, crc: new Crc64() }
  }

  #keep(times: HeaderTimes): void {
    if (this.#times.size < MAX_TIMES) this.#times.set(this.#entries, times)
    else this.#problem ??= `more than ${MAX_TIMES} entries have times of access or fractions of seconds`
  }

  /** Padding stands before the next header, where readers look for it. */
  #end(): void {
    const { entry, crc } = this.#current ?? {}
    if (entry === undefined || crc === undefined) return
    this.#current = undefined
    const { tarName: name, size } = entry
    const payload = size > 0 ? crc.digest().toString('base64') : null
    this.#line({ type: FILE, name, ...(size > 0 && { size }), payload })
  }

  #segment(bytes: Buffer): void {
    const payload = Buffer.concat([...this.#before, bytes]).toString('base64')
    this.#before = []
    this.#line({ type: SEGMENT, payload })
  }

  #line(line: object): void {
    this.#text += `${JSON.stringify({ ...line, position: this.#lines })}\n`
    this.#lines += 1
    if (this.#text.length >= FRAME_BYTES) this.#pack()
  }

  #pack(): void {
    if (this.#text === '' || this.#problem !== undefined) return
    const plain = Buffer.from(this.#text)
    this.#text = ''
    const frame = this.#compressor.pack([plain])
    this.#plainSize += plain.length
    this.#packedSize += frame.length
    this.#frames.push(frame)
    const most = maxCompressedTocBytes(this.#limits)
    if (this.#packedSize <= most) return
    this.#frames.length = 0
    this.#problem = `it has more than ${most} bytes`
  }
}

/** What containers/storage cannot compare, or does not find again where it unpacked the layer. */
function problemOf({ name, tarName, linkName = '', xattrs, size }: TarEntry): string | undefined {
  if (![tarName, linkName].every((text) => text.isWellFormed()))
    return `${quote(tarName)} has a name or link target that is no UTF-8`
  if (!Object.keys(xattrs).every((key) => key.isWellFormed()))
    return `${quote(tarName)} has an extended attribute whose name is no UTF-8`
  if (isWhiteout(name) && size > 0) return `${quote(tarName)} is a whiteout with content`
  if (tarName.split('/').includes('..')) return `${quote(tarName)} has ".." in its name`
  return undefined
}
