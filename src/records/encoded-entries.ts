import { setImmediate as turn } from 'node:timers/promises'
import type { RecordEntry } from './model.ts'

/** Entries that are written at once: some milliseconds of work. */
const BATCH = 2_000

/**
 * The entries of a record in shared memory, for another thread: JSON arrays, a line each. Half a million of them would keep
 * a thread busy for half a second: between two batches others get their turn.
 */
export async function encodeEntries(
  entries: readonly RecordEntry[],
  signal: AbortSignal,
): Promise<Uint8Array> {
  const lines: Buffer[] = []
  for (let at = 0; at < entries.length; at += BATCH) {
    signal.throwIfAborted()
    lines.push(Buffer.from(`${JSON.stringify(entries.slice(at, at + BATCH))}\n`))
    await turn()
  }
  const length = lines.reduce((sum, line) => sum + line.length, 0)
  const packed = new Uint8Array(new SharedArrayBuffer(length))
  let at = 0
  for (const line of lines) {
    packed.set(line, at)
    at += line.length
  }
  return packed
}

/** The entries that were packed. */
export function decodeEntries(packed: Uint8Array): RecordEntry[] {
  const text = Buffer.from(packed.buffer as ArrayBuffer, packed.byteOffset, packed.length).toString('utf8')
  const entries: RecordEntry[] = []
  for (const line of text.split('\n')) {
    if (line !== '') for (const entry of JSON.parse(line) as RecordEntry[]) entries.push(entry)
  }
  return entries
}
