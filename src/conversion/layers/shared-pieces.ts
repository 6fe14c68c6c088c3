import { asBuffer } from '../../compression/byte-source.ts'

/** Bytes cross between threads in pieces of this size. */
export const PIECE_BYTES = 256 * 1024
/** Pieces in one direction, on their way or being used: what a layer holds in memory. */
export const WINDOW_PIECES = 8

/** Memory that two threads share, for bytes in one direction: so many pieces, each used by one of them at a time. */
export function sharedPieces(): SharedArrayBuffer {
  return new SharedArrayBuffer(WINDOW_PIECES * PIECE_BYTES)
}

/** A piece on its way: which one, and how many bytes of it. */
export type Piece = { readonly piece: number; readonly length: number }

/** The bytes of a piece, a view. */
export function bytesOf(memory: SharedArrayBuffer, { piece, length }: Piece): Buffer {
  return Buffer.from(memory as unknown as ArrayBuffer, piece * PIECE_BYTES, length)
}

/**
 * Sends bytes of any cut to another thread by filling pieces of shared memory. A piece is filled again when it was
 * given back, so that a sender is never further ahead than the memory reaches.
 */
export class PieceSender {
  readonly #memory: SharedArrayBuffer
  readonly #send: (piece: Piece) => void
  readonly #free = Array.from({ length: WINDOW_PIECES }, (_, piece) => piece)
  /** The piece being filled. */
  #piece = -1
  #bytes: Buffer = Buffer.alloc(0)
  #length = 0
  #wake: (() => void) | undefined
  #closed = false

  constructor(memory: SharedArrayBuffer, send: (piece: Piece) => void) {
    this.#memory = memory
    this.#send = send
  }

  /**
   * Takes bytes; they are taken when it returns, or what it returns resolves: it waits while no piece is free. One
   * writer at a time.
   */
  write(bytes: Uint8Array): Promise<void> | void {
    if (this.#length + bytes.length >= this.#bytes.length) return this.#fill(bytes)
    this.#put(bytes)
  }

  /** Sends what is left. */
  end(): void {
    if (this.#length > 0) this.#flush()
  }

  /** Takes back a piece that was used. */
  give(piece: number): void {
    this.#free.push(piece)
    this.#wake?.()
  }

  /** Lets a writer go that waits, and takes no more bytes. */
  close(): void {
    this.#closed = true
    this.#wake?.()
  }

  async #fill(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      if (this.#piece === -1) await this.#take()
      if (this.#closed) return
      const part = bytes.subarray(at, at + PIECE_BYTES - this.#length)
      this.#put(part)
      at += part.length
      if (this.#length === PIECE_BYTES) this.#flush()
    }
  }

  /** `set` moves bytes one by one where the two sides lie differently in their words; `copy` does not. */
  #put(bytes: Uint8Array): void {
    asBuffer(bytes).copy(this.#bytes, this.#length)
    this.#length += bytes.length
  }

  async #take(): Promise<void> {
    while (this.#free.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    this.#piece = this.#free.shift() ?? -1
    this.#bytes = bytesOf(this.#memory, { piece: this.#piece, length: PIECE_BYTES })
  }

  #flush(): void {
    this.#send({ piece: this.#piece, length: this.#length })
    this.#piece = -1
    this.#bytes = this.#bytes.subarray(0, 0)
    this.#length = 0
  }
}
