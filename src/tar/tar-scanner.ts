import {
  BLOCK_BYTES,
  decodeEntry,
  type Extensions,
  readSizeField,
  readTypeFlag,
  type TarEntry,
} from './header.ts'
import { LayerError } from './layer-error.ts'
import { type LayerLimits, limitExceededError } from './layer-limits.ts'
import { quoteName } from './names.ts'
import { parsePax } from './pax.ts'

/**
 * The events of a scan, in archive order. Every byte is part of one event, and every entry has an end, also
 * without content.
 */
export type TarEvent =
  /**
   * `header` contains all raw header blocks of the entry: PAX, GNU long names and its own. It is valid until
   * the next piece.
   */
  | { kind: 'entry'; entry: TarEntry; header: Buffer }
  | { kind: 'content'; bytes: Buffer }
  /** The bytes after content up to the next block, usually zeros. */
  | { kind: 'padding'; bytes: Buffer }
  /** Zeros that the archive lacks after its last entry, but that a rewritten archive must contain. */
  | { kind: 'missing'; bytes: Buffer }
  /** Bytes that belong to no entry: global PAX headers, the end mark, and everything after it. */
  | { kind: 'other'; bytes: Buffer }
  | { kind: 'end' }

const NO_BYTES = Buffer.alloc(0)
const END = { kind: 'end' } as const
const ZEROS = Buffer.alloc(BLOCK_BYTES)

/**
 * Scans a tar archive in pieces of any size. Global PAX headers are skipped, as in container runtimes. Bytes
 * after the end mark are not interpreted.
 */
export class TarScanner {
  readonly #limits: LayerLimits
  #state: 'header' | 'extension' | 'content' | 'padding' | 'ended' = 'header'
  /** The offset of the current piece in the archive. */
  #pieceOffset = 0
  #entries = 0
  /** The start of a block or extension that is not complete yet. */
  #partial: Buffer[] = []
  #partialLength = 0
  /** The size of that block or extension. */
  #unitLength = BLOCK_BYTES
  /** The raw headers before the next entry's own, and their contents. */
  #rawHeaders: Buffer[] = []
  #rawHeadersLength = 0
  #extensions: Extensions = {}
  #extensionFlag = ''
  #extensionSize = 0
  #contentLeft = 0
  #paddingLeft = 0
  #sawZeroBlock = false

  constructor(limits: LayerLimits) {
    this.#limits = limits
  }

  /**
   * Scans the next piece, which must stay valid until the one after it, because content events are views of
   * it.
   * @throws LayerError CORRUPT_TAR, LIMIT_EXCEEDED, UNSUPPORTED_ENTRY
   */
  *push(piece: Buffer): Generator<TarEvent, void, void> {
    let offset = 0
    while (offset < piece.length) {
      if (this.#state === 'ended') {
        yield { kind: 'other', bytes: piece.subarray(offset) }
        break
      }
      if (this.#state === 'content') {
        const bytes = piece.subarray(offset, offset + Math.min(this.#contentLeft, piece.length - offset))
        offset += bytes.length
        this.#contentLeft -= bytes.length
        yield { kind: 'content', bytes }
        if (this.#contentLeft > 0) continue
        if (this.#paddingLeft > 0) this.#state = 'padding'
        else yield this.#endEntry()
        continue
      }
      if (this.#state === 'padding') {
        const bytes = piece.subarray(offset, offset + Math.min(this.#paddingLeft, piece.length - offset))
        offset += bytes.length
        this.#paddingLeft -= bytes.length
        yield { kind: 'padding', bytes }
        if (this.#paddingLeft === 0) yield this.#endEntry()
        continue
      }
      const part = piece.subarray(offset, offset + this.#unitLength - this.#partialLength)
      offset += part.length
      this.#partialLength += part.length
      if (this.#partialLength < this.#unitLength) {
        this.#partial.push(Buffer.from(part))
        break
      }
      const unit = this.#partial.length === 0 ? part : Buffer.concat([...this.#partial, part])
      this.#partial = []
      this.#partialLength = 0
      const event = this.#scanUnit(unit, this.#pieceOffset + offset - unit.length)
      if (!event) continue
      yield event
      if (event.kind === 'entry' && this.#contentLeft === 0) yield END
    }
    this.#pieceOffset += piece.length
  }

  /**
   * Ends the archive. As in Go's reader, the end mark and the last padding may be missing, but headers and
   * content must be complete.
   * @throws LayerError CORRUPT_TAR
   */
  *end(): Generator<TarEvent, void, void> {
    if (this.#state === 'ended') return
    if (this.#state === 'padding') {
      yield { kind: 'missing', bytes: Buffer.alloc(this.#paddingLeft) }
      yield this.#endEntry()
      return
    }
    if (this.#state === 'header' && this.#partialLength === 0 && this.#rawHeaders.length === 0) return
    throw new LayerError(
      'CORRUPT_TAR',
      `the tar archive ends after ${this.#pieceOffset} bytes, in the middle of ${
        this.#state === 'content' ? 'a file' : 'a header'
      }`,
      { offset: this.#pieceOffset },
    )
  }

  /** Scans a header block, or the contents of an extension. */
  #scanUnit(unit: Buffer, offset: number): TarEvent | undefined {
    return this.#state === 'extension' ? this.#scanExtension(unit) : this.#scanHeader(unit, offset)
  }

  #scanHeader(block: Buffer, offset: number): TarEvent | undefined {
    if (block[0] === 0 && block.equals(ZEROS)) {
      if (this.#rawHeaders.length > 0) {
        throw new LayerError('CORRUPT_TAR', `the extended headers before byte ${offset} belong to no entry`, {
          offset,
        })
      }
      if (this.#sawZeroBlock) this.#state = 'ended'
      this.#sawZeroBlock = true
      return { kind: 'other', bytes: block }
    }
    if (this.#sawZeroBlock) {
      throw new LayerError('CORRUPT_TAR', `the tar archive has a lone block of zeros before byte ${offset}`, {
        offset,
      })
    }
    const typeFlag = readTypeFlag(block, offset)
    if (typeFlag === 'x' || typeFlag === 'g' || typeFlag === 'L' || typeFlag === 'K')
      return this.#startExtension(block, typeFlag, offset)
    const entry = decodeEntry(block, typeFlag, this.#extensions, offset)
    this.#checkEntry(entry)
    const header = this.#rawHeaders.length === 0 ? block : Buffer.concat([...this.#rawHeaders, block])
    this.#rawHeaders = []
    this.#rawHeadersLength = 0
    this.#extensions = {}
    this.#contentLeft = entry.size
    this.#paddingLeft = (BLOCK_BYTES - (entry.size % BLOCK_BYTES)) % BLOCK_BYTES
    if (entry.size > 0) this.#state = 'content'
    return { kind: 'entry', entry, header }
  }

  #endEntry(): TarEvent {
    this.#state = 'header'
    this.#unitLength = BLOCK_BYTES
    return END
  }

  #startExtension(block: Buffer, typeFlag: string, offset: number): TarEvent | undefined {
    this.#extensionFlag = typeFlag
    this.#extensionSize = readSizeField(block, offset)
    const stored = Math.ceil(this.#extensionSize / BLOCK_BYTES) * BLOCK_BYTES
    if (this.#rawHeadersLength + BLOCK_BYTES + stored > this.#limits.maxHeaderBytes) {
      throw new LayerError(
        'LIMIT_EXCEEDED',
        `the headers of the entry at byte ${offset} have more than ${this.#limits.maxHeaderBytes} bytes`,
        { offset },
      )
    }
    if (stored > 0) {
      this.#state = 'extension'
      this.#unitLength = stored
    } else {
      this.#parseExtension(NO_BYTES)
    }
    return this.#storeHeader(block)
  }

  #scanExtension(stored: Buffer): TarEvent | undefined {
    this.#parseExtension(stored.subarray(0, this.#extensionSize))
    this.#state = 'header'
    this.#unitLength = BLOCK_BYTES
    return this.#storeHeader(stored)
  }

  #parseExtension(bytes: Buffer): void {
    if (this.#extensionFlag === 'x') this.#extensions.pax = parsePax(Buffer.from(bytes))
    else if (this.#extensionFlag === 'L') this.#extensions.longName = untilNul(bytes)
    else if (this.#extensionFlag === 'K') this.#extensions.longLink = untilNul(bytes)
    else {
      // Container runtimes ignore the contents of a global header, but reject malformed ones (archive/tar of
      // Go 1.25). They also drop the headers before it.
      parsePax(Buffer.from(bytes))
      this.#extensions = {}
    }
  }

  /**
   * Stores a header of the next entry. A global header is not part of an entry, unless it follows such a
   * header.
   */
  #storeHeader(raw: Buffer): TarEvent | undefined {
    if (this.#extensionFlag === 'g' && this.#rawHeaders.length === 0) return { kind: 'other', bytes: raw }
    this.#rawHeaders.push(Buffer.from(raw))
    this.#rawHeadersLength += raw.length
    return undefined
  }

  #checkEntry(entry: TarEntry): void {
    this.#entries += 1
    if (this.#entries > this.#limits.maxEntries) {
      throw limitExceededError(this.#limits, 'maxEntries', 'the layer has too many entries')
    }
    const nameBytes = Math.max(Buffer.byteLength(entry.tarName), Buffer.byteLength(entry.linkName ?? ''))
    if (nameBytes > this.#limits.maxNameBytes) {
      throw new LayerError(
        'LIMIT_EXCEEDED',
        `${quoteName(entry.tarName)} or its link target has more than ${this.#limits.maxNameBytes} bytes`,
        { entry: entry.tarName },
      )
    }
  }
}

/** Returns a name up to the first NUL; undefined if it is empty, which means that there is none. */
function untilNul(bytes: Buffer): Buffer | undefined {
  const end = bytes.indexOf(0)
  const name = end === -1 ? bytes : bytes.subarray(0, end)
  return name.length === 0 ? undefined : Buffer.from(name)
}
