import { asBuffer } from '../byte-source.ts'
import { TRANSCODER_BINARY } from './binary.ts'
import { GZIP_HEADER, GZIP_TRAILER_BYTES } from './gzip-member.ts'

/** The exports of `wasm/index.ts`, where they are described. Places and lengths are bytes. */
type Exports = {
  readonly memory: WebAssembly.Memory
  reset(): void
  feedAt(): number
  feedRoom(): number
  feed(length: number): void
  unread(): number
  begin(): void
  decode(last: number): number
  plainTail(): number
  appendRoom(): number
  append(length: number): void
  pass(): void
  refine(places: number): void
  open(plain: number): void
  write(to: number): void
  close(): void
  outputAt(): number
  outputLength(whole: number): number
  outputTaken(length: number): void
  trial(start: number, places: number): number
}

const NOTHING = Buffer.alloc(0)

let compiled: WebAssembly.Module | undefined

/** What decoding came to; the numbers are those of `wasm/decoder.ts`. */
const STATUS = [
  'needs-input',
  'pause',
  'end',
  'invalid-block',
  'invalid-codes',
  'invalid-symbol',
  'cut-off',
] as const
export type DecodeStatus = (typeof STATUS)[number]

/**
 * One WebAssembly instance: decodes deflate streams into a window of plain bytes, and writes gzip members of stretches
 * of it out of the source's own parse. It takes about 8 MiB, whatever the layer's size.
 */
export class Transcoder {
  readonly #wasm: Exports
  /** All of its memory. */
  readonly memory: Buffer
  /** Where the plain bytes begin that were not passed. */
  #plainStart = 0
  readonly #outputAt: number
  /** Where what is to be taken of the open member begins: with the gzip header, which lies before the output, or behind it. */
  #takenFrom = 0
  /** Bytes of the output that were answered, and are to be dropped. */
  #answered = 0

  constructor() {
    compiled ??= new WebAssembly.Module(Buffer.from(TRANSCODER_BINARY, 'base64'))
    const abort = () => {
      throw new Error('the transcoder stopped')
    }
    const { exports } = new WebAssembly.Instance(compiled, { env: { abort } })
    this.#wasm = exports as Exports
    this.#wasm.reset()
    this.memory = Buffer.from(this.#wasm.memory.buffer)
    this.#plainStart = this.#wasm.plainTail()
    this.#outputAt = this.#wasm.outputAt()
    GZIP_HEADER.copy(this.memory, this.#outputAt - GZIP_HEADER.length)
    this.#takenFrom = this.#outputAt - GZIP_HEADER.length
  }

  /** Begins a deflate stream; its bytes are fed from the first one on. */
  begin(): void {
    this.#wasm.begin()
  }

  /** Takes compressed bytes, as many as there is room for. Returns how many. */
  feed(bytes: Uint8Array): number {
    const taken = asBuffer(bytes).subarray(0, this.#wasm.feedRoom())
    taken.copy(this.memory, this.#wasm.feedAt())
    this.#wasm.feed(taken.length)
    return taken.length
  }

  /** Bytes that were fed and not used: a view, valid until a stream begins. */
  get unread(): Buffer {
    const end = this.#wasm.feedAt()
    return this.memory.subarray(end - this.#wasm.unread(), end)
  }

  /** Decodes until plain bytes are ready. `last`: everything was fed. Where it pauses depends on the stream alone. */
  decode(last: boolean): DecodeStatus {
    return STATUS[this.#wasm.decode(last ? 1 : 0)] ?? 'invalid-block'
  }

  /** The plain bytes since the last pass: a view, valid until the next. */
  plain(): Buffer {
    return this.memory.subarray(this.#plainStart, this.#wasm.plainTail())
  }

  /** Most bytes to {@link append} before they are passed. */
  get appendRoom(): number {
    return this.#wasm.appendRoom()
  }

  /** Adds plain bytes that come from elsewhere. Returns them as a view of the window. */
  append(bytes: Uint8Array): Buffer {
    const at = this.#wasm.plainTail()
    asBuffer(bytes).copy(this.memory, at)
    this.#wasm.append(bytes.length)
    return this.memory.subarray(at, at + bytes.length)
  }

  /** Lets go of the plain bytes; an open member goes on with those to come. */
  pass(): void {
    this.#wasm.pass()
    this.#plainStart = this.#wasm.plainTail()
  }

  /** Whether bytes are a view of this transcoder's window. */
  holds(bytes: Buffer): boolean {
    return bytes.buffer === this.memory.buffer
  }

  /** How many places are looked at for a better match than the source has; 0 keeps its parse. */
  set depth(places: number) {
    this.#wasm.refine(places)
  }

  /** How long a deflate stream of the plain bytes since the last pass would be. The depth has to be set again. */
  trial(places: number): number {
    return this.#wasm.trial(this.#plainStart, places)
  }

  /** Opens a member that begins with these bytes of the window; {@link write} writes them. */
  open(bytes: Buffer): void {
    this.#wasm.open(bytes.byteOffset)
    this.#takenFrom = this.#outputAt - GZIP_HEADER.length
    this.#answered = 0
  }

  /** Writes the open member up to the end of these bytes of the window. */
  write(bytes: Buffer): void {
    this.#wasm.write(bytes.byteOffset + bytes.length)
  }

  /** What was written of the member and cannot change any more: a view, valid until more is written. */
  settled(): Buffer {
    this.#answered = this.#wasm.outputLength(0)
    if (this.#answered === 0) return NOTHING
    return this.memory.subarray(this.#takenFrom, this.#outputAt + this.#answered)
  }

  /** Forgets what {@link settled} answered last. */
  drop(): void {
    if (this.#answered === 0) return
    this.#wasm.outputTaken(this.#answered)
    this.#takenFrom = this.#outputAt
    this.#answered = 0
  }

  /**
   * Ends the member.
   * @param crc the CRC-32 of its plain bytes
   * @param size their number
   * @returns the rest of it, a view that is valid until the next member is opened
   */
  close(crc: number, size: number): Buffer {
    this.#wasm.close()
    const end = this.#outputAt + this.#wasm.outputLength(1)
    this.memory.writeUInt32LE(crc, end)
    this.memory.writeUInt32LE(size % 2 ** 32, end + 4)
    return this.memory.subarray(this.#takenFrom, end + GZIP_TRAILER_BYTES)
  }
}
