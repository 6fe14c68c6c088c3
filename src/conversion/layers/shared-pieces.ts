import { asBuffer } from '../../compression/byte-source.ts'

/** The size of the pieces in which bytes pass between threads. */
const PIECE_BYTES = 256 * 1024
/**
 * The pieces in one direction, in transit or in use: the memory that a layer takes for its input or its
 * output.
 */
const WINDOW_PIECES = 8

/** Allocates the memory for bytes in one direction. Each of its pieces is used by one thread at a time. */
export function allocatePieces(): SharedArrayBuffer {
  return new SharedArrayBuffer(WINDOW_PIECES * PIECE_BYTES)
}

/** A filled piece: its index in the shared memory, and the number of bytes in it. */
export type Piece = { readonly index: number; readonly length: number }

/** Returns a view of the bytes of a piece. */
export function viewPiece(memory: SharedArrayBuffer, { index, length }: Piece): Buffer {
  return Buffer.from(memory as unknown as ArrayBuffer, index * PIECE_BYTES, length)
}

/**
 * Sends a stream of bytes to another thread by filling pieces of shared memory. A piece is filled again only
 * after the receiver has released it, which bounds how far the sender can be ahead.
 */
export class PieceSender {
  readonly #memory: SharedArrayBuffer
  readonly #send: (piece: Piece) => void
  readonly #free = Array.from({ length: WINDOW_PIECES }, (_, index) => index)
  /** The index of the piece that is being filled, or -1. */
  #index = -1
  #bytes: Buffer = Buffer.alloc(0)
  #length = 0
  #wake: (() => void) | undefined
  #isClosed = false

  constructor(memory: SharedArrayBuffer, send: (piece: Piece) => void) {
    this.#memory = memory
    this.#send = send
  }

  /**
   * Copies bytes into pieces, and waits while none is free. The caller may reuse `bytes` when it returns, or
   * when the returned promise resolves. One writer at a time.
   */
  write(bytes: Uint8Array): Promise<void> | void {
    if (this.#length + bytes.length >= this.#bytes.length) return this.#fill(bytes)
    this.#copy(bytes)
  }

  /** Sends the last piece, which may be partly filled. */
  flush(): void {
    if (this.#length > 0) this.#sendPiece()
  }

  /** Makes a piece that the receiver has consumed free again. */
  release(index: number): void {
    this.#free.push(index)
    this.#wake?.()
  }

  /** Discards further bytes, and wakes a writer that waits. */
  close(): void {
    this.#isClosed = true
    this.#wake?.()
  }

  async #fill(bytes: Uint8Array): Promise<void> {
    for (let offset = 0; offset < bytes.length; ) {
      if (this.#index === -1) await this.#acquire()
      if (this.#isClosed) return
      const part = bytes.subarray(offset, offset + PIECE_BYTES - this.#length)
      this.#copy(part)
      offset += part.length
      if (this.#length === PIECE_BYTES) this.#sendPiece()
    }
  }

  /**
   * Uses `copy`, because `set` copies byte by byte if source and destination differ in their word alignment.
   */
  #copy(bytes: Uint8Array): void {
    asBuffer(bytes).copy(this.#bytes, this.#length)
    this.#length += bytes.length
  }

  async #acquire(): Promise<void> {
    while (this.#free.length === 0 && !this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    this.#index = this.#free.shift() ?? -1
    this.#bytes = viewPiece(this.#memory, { index: this.#index, length: PIECE_BYTES })
  }

  #sendPiece(): void {
    this.#send({ index: this.#index, length: this.#length })
    this.#index = -1
    this.#bytes = this.#bytes.subarray(0, 0)
    this.#length = 0
  }
}
