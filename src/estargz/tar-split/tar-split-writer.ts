import { Crc64 } from '../../bytes/crc64.ts'
import type { MemberCompressor } from '../../compression/member-compressor.ts'
import { type Digest, digestOf } from '../../oci/digest.ts'
import { isWhiteout } from '../../rootfs/whiteouts.ts'
import type { TarEntry } from '../../tar/header.ts'
import { type LayerLimits, maxCompressedTocBytes } from '../../tar/layer-limits.ts'
import { quoteName } from '../../tar/names.ts'
import { type TarEvent, TarScanner } from '../../tar/tar-scanner.ts'
import { type HeaderTimes, readHeaderTimes } from './header-times.ts'
import { SymlinkPathDetector } from './symlink-path-detector.ts'

/**
 * Types of lines (vbatts/tar-split 0.12 `tar/storage`): the content of a file, and raw bytes of the archive.
 */
const FILE_TYPE = 1
const SEGMENT_TYPE = 2

/**
 * The maximum number of entries whose times are stored until the table of contents is written, at about 300
 * bytes each.
 */
const MAX_TIMES = 300_000
/** The approximate uncompressed size of a frame. */
const FRAME_BYTES = 1 << 20
const NO_BYTES = Buffer.alloc(0)

/** Compressed tar-split data. Sizes are bytes. */
export type TarSplit = {
  readonly compressed: Buffer
  readonly uncompressedSize: number
  readonly digest: Digest
}

/**
 * Writes tar-split data (vbatts/tar-split 0.12) for an archive as its bytes stream by: JSON lines with every
 * byte that is not content of a file, and with the name, size and CRC-64 of each file's content.
 * containers/storage reassembles the archive from these and the files.
 */
export class TarSplitWriter {
  readonly #compressor: MemberCompressor
  readonly #limits: LayerLimits
  readonly #scanner: TarScanner
  readonly #frames: Buffer[] = []
  readonly #symlinkPaths = new SymlinkPathDetector()
  readonly #times = new Map<number, HeaderTimes>()
  #uncompressedSize = 0
  #compressedSize = 0
  #text = ''
  #lines = 0
  #entries = 0
  /** Padding and other bytes that precede the next header. */
  #beforeHeader: Buffer[] = []
  #current: { readonly entry: TarEntry; readonly crc: Crc64 } | undefined
  /** Why containers/storage would reject an image with this data. */
  #problem: string | undefined

  constructor(compressor: MemberCompressor, limits: LayerLimits) {
    this.#compressor = compressor
    this.#limits = limits
    // The source was already checked against the limit; the landmark may be one entry more.
    this.#scanner = new TarScanner({ ...limits, maxEntries: Number.MAX_SAFE_INTEGER })
  }

  /** The number of entries in the archive. */
  get entries(): number {
    return this.#entries
  }

  /** Adds the next bytes of the archive. */
  push(bytes: Buffer): void {
    if (this.#problem !== undefined) return
    for (const event of this.#scanner.push(bytes)) this.#handle(event)
  }

  /**
   * Returns the times of an entry that a table of contents must hold exactly, by the entry's index in the
   * archive.
   */
  headerTimes(index: number): HeaderTimes | undefined {
    return this.#times.get(index)
  }

  /**
   * Ends the archive. Call once.
   * @returns the data, or the reason why containers/storage would reject an image with it
   */
  finish(): TarSplit | string {
    if (this.#beforeHeader.length > 0) this.#writeSegment(NO_BYTES)
    this.#closeFrame()
    if (this.#problem !== undefined) return this.#problem
    const compressed = Buffer.concat(this.#frames)
    return { compressed, uncompressedSize: this.#uncompressedSize, digest: digestOf(compressed) }
  }

  #handle(event: TarEvent): void {
    if (event.kind === 'entry') this.#startEntry(event.entry, event.header)
    else if (event.kind === 'content') this.#current?.crc.add(event.bytes)
    else if (event.kind === 'end') this.#endEntry()
    else if (event.kind !== 'missing') this.#beforeHeader.push(Buffer.from(event.bytes))
  }

  #startEntry(entry: TarEntry, header: Buffer): void {
    this.#writeSegment(header)
    const times = readHeaderTimes(entry, header)
    if (times === undefined)
      this.#problem ??= `it reads the header of ${quoteName(entry.tarName)} differently`
    else if (Object.keys(times).length > 0) this.#storeTimes(times)
    this.#problem ??= problemOf(entry)
    if (this.#symlinkPaths.add(entry.name, entry.type === 'symlink')) {
      this.#problem ??= `${quoteName(entry.tarName)} is below a symlink of the layer, or a symlink with other entries below it`
    }
    this.#entries += 1
    this.#current = { entry, crc: new Crc64() }
  }

  #storeTimes(times: HeaderTimes): void {
    if (this.#times.size < MAX_TIMES) this.#times.set(this.#entries, times)
    else this.#problem ??= `more than ${MAX_TIMES} entries have access times or fractions of seconds`
  }

  /** Writes the line of a file. Its padding goes before the next header, where readers expect it. */
  #endEntry(): void {
    const { entry, crc } = this.#current ?? {}
    if (entry === undefined || crc === undefined) return
    this.#current = undefined
    const { tarName: name, size } = entry
    const payload = size > 0 ? crc.digest().toString('base64') : null
    this.#writeLine({ type: FILE_TYPE, name, ...(size > 0 && { size }), payload })
  }

  #writeSegment(bytes: Buffer): void {
    const payload = Buffer.concat([...this.#beforeHeader, bytes]).toString('base64')
    this.#beforeHeader = []
    this.#writeLine({ type: SEGMENT_TYPE, payload })
  }

  #writeLine(line: object): void {
    this.#text += `${JSON.stringify({ ...line, position: this.#lines })}\n`
    this.#lines += 1
    if (this.#text.length >= FRAME_BYTES) this.#closeFrame()
  }

  #closeFrame(): void {
    if (this.#text === '' || this.#problem !== undefined) return
    const lines = Buffer.from(this.#text)
    this.#text = ''
    const frame = this.#compressor.compress([lines])
    this.#uncompressedSize += lines.length
    this.#compressedSize += frame.length
    this.#frames.push(frame)
    const maxBytes = maxCompressedTocBytes(this.#limits)
    if (this.#compressedSize <= maxBytes) return
    this.#frames.length = 0
    this.#problem = `the data has more than ${maxBytes} bytes`
  }
}

/** Returns why containers/storage cannot compare an entry, or cannot find it where it unpacked the layer. */
function problemOf({ name, tarName, linkName = '', xattrs, size }: TarEntry): string | undefined {
  if (![tarName, linkName].every((text) => text.isWellFormed())) {
    return `${quoteName(tarName)} has a name or link target that is not valid UTF-8`
  }
  if (!Object.keys(xattrs).every((key) => key.isWellFormed())) {
    return `${quoteName(tarName)} has an extended attribute whose name is not valid UTF-8`
  }
  if (isWhiteout(name) && size > 0) return `${quoteName(tarName)} is a whiteout with content`
  if (tarName.split('/').includes('..')) return `${quoteName(tarName)} has ".." in its name`
  return undefined
}
