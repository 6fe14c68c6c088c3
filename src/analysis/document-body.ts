import { setImmediate as nextTurn } from 'node:timers/promises'
import type { DocumentBody } from './analyses.ts'

const PIECE_CHARACTERS = 64 * 1024

/** Returns a value as a JSON document. */
export function toJsonBody(value: unknown): DocumentBody {
  return toDocumentBody(JSON.stringify(value))
}

/** Yields a text in pieces, and lets the event loop run between them. */
export async function* toDocumentBody(text: string): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < text.length; ) {
    let end = Math.min(text.length, start + PIECE_CHARACTERS)
    // A surrogate pair must not be split.
    if (end < text.length && text.charCodeAt(end - 1) >> 10 === 0x36) end += 1
    yield Buffer.from(text.slice(start, end))
    start = end
    await nextTurn()
  }
}

/** Whether the result of an analysis is a document. */
export function isDocument(result: unknown): result is DocumentBody {
  return typeof result === 'object' && result !== null && Symbol.asyncIterator in result
}
