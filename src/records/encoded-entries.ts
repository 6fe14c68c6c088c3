import { setImmediate as yieldToEventLoop } from 'node:timers/promises'
import type { RecordEntry } from './model.ts'

/** Entries that are encoded without a pause; they take some milliseconds. */
const BATCH_ENTRIES = 2_000

/**
 * Encodes the entries of a record in shared memory, for another thread: one JSON array per line. Half a
 * million entries would block the event loop for half a second, so it yields between batches.
 */
export async function encodeEntries(
  entries: readonly RecordEntry[],
  signal: AbortSignal,
): Promise<Uint8Array> {
  const lines: Buffer[] = []
  for (let start = 0; start < entries.length; start += BATCH_ENTRIES) {
    signal.throwIfAborted()
    lines.push(Buffer.from(`${JSON.stringify(entries.slice(start, start + BATCH_ENTRIES))}\n`))
    await yieldToEventLoop()
  }
  const length = lines.reduce((sum, line) => sum + line.length, 0)
  const encoded = new Uint8Array(new SharedArrayBuffer(length))
  let offset = 0
  for (const line of lines) {
    encoded.set(line, offset)
    offset += line.length
  }
  return encoded
}

/** Decodes the result of {@link encodeEntries}. */
export function decodeEntries(encoded: Uint8Array): RecordEntry[] {
  const { buffer, byteOffset, length } = encoded
  const text = Buffer.from(buffer as ArrayBuffer, byteOffset, length).toString('utf8')
  const entries: RecordEntry[] = []
  for (const line of text.split('\n')) {
    if (line !== '') for (const entry of JSON.parse(line) as RecordEntry[]) entries.push(entry)
  }
  return entries
}
