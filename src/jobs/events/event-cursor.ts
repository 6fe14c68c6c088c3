/**
 * A place in the stream of all events, which orders them by transaction, job and number: the cursor of an event is
 * that place. It says nothing about whether the event exists.
 */
type Place = readonly [tx: number, jobId: string, seq: number]

/** Transaction, sequence number, and job id. */
const CURSOR = /^(\d{1,16})\.(\d{1,9})\.([0-9a-f-]{36}|)$/

/** The cursor before the first event. */
export const FIRST_CURSOR = '0.0.'

/** Whether a text has the form of a cursor of the stream of all jobs. */
export function isEventCursor(text: string): boolean {
  return CURSOR.test(text)
}

export function formatCursor({
  tx,
  seq,
  job_id,
}: {
  readonly tx: number
  readonly seq: number
  readonly job_id: string
}): string {
  return `${tx}.${seq}.${job_id}`
}

/** @throws InvalidCursorError INVALID_CURSOR */
export function parseCursor(cursor: string): Place {
  const [, tx, seq, jobId = ''] = CURSOR.exec(cursor) ?? []
  if (tx === undefined) throw new InvalidCursorError()
  return [Number(tx), jobId, Number(seq)]
}

/** Compares places in the order in which the database returns events. */
export function isLess([tx, jobId, seq]: Place, [otherTx, otherJobId, otherSeq]: Place): boolean {
  if (tx !== otherTx) return tx < otherTx
  return jobId === otherJobId ? seq < otherSeq : jobId < otherJobId
}

/** Whether a cursor is before another one in the stream. */
export function isBefore(cursor: string, other: string): boolean {
  return isLess(parseCursor(cursor), parseCursor(other))
}

/** The cursor before all events of the transaction of a cursor. It names no job. */
export function beforeTransaction(cursor: string): string {
  const [tx] = parseCursor(cursor)
  return formatCursor({ tx, seq: 0, job_id: '' })
}

/** The cursor after all events of the transaction of a cursor. It names no job. */
export function afterTransaction(cursor: string): string {
  const [tx] = parseCursor(cursor)
  return formatCursor({ tx: tx + 1, seq: 0, job_id: '' })
}

/** A cursor that the broker did not issue. */
export class InvalidCursorError extends Error {
  override readonly name = 'InvalidCursorError'
  readonly code = 'INVALID_CURSOR'
  constructor() {
    super('Last-Event-ID: expected the id of an event of this stream')
  }
}
