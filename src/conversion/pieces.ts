import { PIECE_BYTES } from './layer-task.ts'

/** Collects bytes of any cut into pieces of {@link PIECE_BYTES} that own their memory, to be handed over. */
export class PieceMaker {
  #piece = new Uint8Array(PIECE_BYTES)
  #length = 0

  #give(): Uint8Array<ArrayBuffer> {
    const piece = this.#piece.subarray(0, this.#length)
    this.#piece = new Uint8Array(PIECE_BYTES)
    this.#length = 0
    return piece
  }

  /** The pieces that these bytes complete. */
  *push(bytes: Uint8Array): Generator<Uint8Array<ArrayBuffer>> {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + PIECE_BYTES - this.#length)
      this.#piece.set(part, this.#length)
      this.#length += part.length
      at += part.length
      if (this.#length === PIECE_BYTES) yield this.#give()
    }
  }

  /** What is left at the end. */
  *end(): Generator<Uint8Array<ArrayBuffer>> {
    if (this.#length > 0) yield this.#give()
  }
}
