import { asBuffer } from '../byte-source.ts'
import { TRANSCODER_BINARY } from './binary.ts'
import { GZIP_HEADER, GZIP_TRAILER_BYTES } from './gzip-member.ts'

/** The exports of `wasm/index.ts`, which documents them. Addresses and lengths are in bytes. */
type Exports = {
  readonly memory: WebAssembly.Memory
  reset(): void
  feedAt(): number
  feedRoom(): number
  feed(length: number): void
  unread(): number
  begin(): void
  decode(isLast: number): number
  plainTail(): number
  appendRoom(): number
  append(length: number): void
  pass(): void
  refine(searchDepth: number): void
  open(start: number): void
  write(end: number): void
  close(): void
  outputAt(): number
  outputLength(isComplete: number): number
  outputTaken(length: number): void
  trial(start: number, searchDepth: number): number
}

const NO_BYTES = Buffer.alloc(0)

let compiledModule: WebAssembly.Module | undefined

/** The statuses of decoding, by their numbers in `wasm/decoder.ts`. */
const STATUSES = [
  'needs-input',
  'pause',
  'end',
  'invalid-block',
  'invalid-codes',
  'invalid-symbol',
  'cut-off',
] as const
export type DecodeStatus = (typeof STATUSES)[number]

/**
 * A WebAssembly instance that decodes deflate streams into a window of uncompressed bytes, and writes gzip
 * members with extents of it by reusing the parse of the source. It uses about 8 MiB, whatever the size of
 * the layer.
 */
export class Transcoder {
  readonly #wasm: Exports
  /** The memory of the instance. All returned buffers are views of it. */
  readonly memory: Buffer
  /** The address of the first byte that was not discarded. */
  #windowStart = 0
  readonly #outputAddress: number
  /**
   * The address from which output of the open member is returned next: that of the gzip header, which
   * precedes the output, or that of the output.
   */
  #returnFrom = 0
  /** The length of the output that was returned last, and that {@link dropSettled} drops. */
  #returnedLength = 0

  constructor() {
    compiledModule ??= new WebAssembly.Module(Buffer.from(TRANSCODER_BINARY, 'base64'))
    const abort = () => {
      throw new Error('the transcoder aborted')
    }
    const { exports } = new WebAssembly.Instance(compiledModule, { env: { abort } })
    this.#wasm = exports as Exports
    this.#wasm.reset()
    this.memory = Buffer.from(this.#wasm.memory.buffer)
    this.#windowStart = this.#wasm.plainTail()
    this.#outputAddress = this.#wasm.outputAt()
    GZIP_HEADER.copy(this.memory, this.#outputAddress - GZIP_HEADER.length)
    this.#returnFrom = this.#outputAddress - GZIP_HEADER.length
  }

  /** Starts a deflate stream. Its bytes are fed from the first one on. */
  startStream(): void {
    this.#wasm.begin()
  }

  /** Feeds compressed bytes, up to the free capacity. @returns how many were accepted */
  feed(bytes: Uint8Array): number {
    const accepted = asBuffer(bytes).subarray(0, this.#wasm.feedRoom())
    accepted.copy(this.memory, this.#wasm.feedAt())
    this.#wasm.feed(accepted.length)
    return accepted.length
  }

  /** The bytes that were fed and not consumed: a view that is valid until a stream starts. */
  get unread(): Buffer {
    const end = this.#wasm.feedAt()
    return this.memory.subarray(end - this.#wasm.unread(), end)
  }

  /**
   * Decodes until uncompressed bytes are ready. It pauses at positions that depend on the stream alone.
   * @param isLast whether all input was fed
   */
  decode(isLast: boolean): DecodeStatus {
    return STATUSES[this.#wasm.decode(isLast ? 1 : 0)] ?? 'invalid-block'
  }

  /**
   * Returns the uncompressed bytes since the last {@link discard}: a view that is valid until the next one.
   */
  uncompressed(): Buffer {
    return this.memory.subarray(this.#windowStart, this.#wasm.plainTail())
  }

  /** The number of bytes that may be appended before they are discarded. */
  get appendCapacity(): number {
    return this.#wasm.appendRoom()
  }

  /** Appends uncompressed bytes from elsewhere. @returns them as a view of the window */
  append(bytes: Uint8Array): Buffer {
    const start = this.#wasm.plainTail()
    asBuffer(bytes).copy(this.memory, start)
    this.#wasm.append(bytes.length)
    return this.memory.subarray(start, start + bytes.length)
  }

  /** Discards the uncompressed bytes. An open member continues with those that follow. */
  discard(): void {
    this.#wasm.pass()
    this.#windowStart = this.#wasm.plainTail()
  }

  /** Whether bytes are a view of this transcoder's window. */
  ownsMemoryOf(bytes: Buffer): boolean {
    return bytes.buffer === this.memory.buffer
  }

  /**
   * The number of positions that are compared in the search for better matches than those of the source; 0
   * keeps its parse.
   */
  set searchDepth(positions: number) {
    this.#wasm.refine(positions)
  }

  /**
   * Returns the length of a deflate stream of the uncompressed bytes since the last {@link discard}, in
   * bytes. The search depth must be set again afterwards.
   */
  measureTrial(searchDepth: number): number {
    return this.#wasm.trial(this.#windowStart, searchDepth)
  }

  /** Opens a member that starts with these bytes of the window, which {@link write} has to write. */
  openMember(bytes: Buffer): void {
    this.#wasm.open(bytes.byteOffset)
    this.#returnFrom = this.#outputAddress - GZIP_HEADER.length
    this.#returnedLength = 0
  }

  /** Writes the open member up to the end of these bytes of the window. */
  write(bytes: Buffer): void {
    this.#wasm.write(bytes.byteOffset + bytes.length)
  }

  /**
   * Returns the output of the member that cannot change any more: a view that is valid until more is written.
   */
  settledOutput(): Buffer {
    this.#returnedLength = this.#wasm.outputLength(0)
    if (this.#returnedLength === 0) return NO_BYTES
    return this.memory.subarray(this.#returnFrom, this.#outputAddress + this.#returnedLength)
  }

  /** Drops what {@link settledOutput} returned last. */
  dropSettled(): void {
    if (this.#returnedLength === 0) return
    this.#wasm.outputTaken(this.#returnedLength)
    this.#returnFrom = this.#outputAddress
    this.#returnedLength = 0
  }

  /**
   * Ends the member.
   * @param crc the CRC-32 of its uncompressed bytes
   * @param size the number of these bytes
   * @returns its remaining bytes, a view that is valid until the next member is opened
   */
  closeMember(crc: number, size: number): Buffer {
    this.#wasm.close()
    const end = this.#outputAddress + this.#wasm.outputLength(1)
    this.memory.writeUInt32LE(crc, end)
    this.memory.writeUInt32LE(size % 2 ** 32, end + 4)
    return this.memory.subarray(this.#returnFrom, end + GZIP_TRAILER_BYTES)
  }
}
