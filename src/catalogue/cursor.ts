import { z } from 'zod'

/** A cursor that no listing returned. */
export class CatalogueCursorError extends Error {
  override readonly name = 'CatalogueCursorError'
  readonly code = 'INVALID_CURSOR'
}

/** How a record image relates to the requested image. Those that match by digest are listed first. */
export type Match = 'digest' | 'repository'

/** Greater than every id. */
export const AFTER_ALL = 'ffffffffffff-ffffffffffff'

/** The position behind an item. */
const Cursor = z.tuple([z.enum(['digest', 'repository']), z.string().regex(/^[0-9a-f]{12}-[0-9a-f]{12}$/)])

export function formatCursor(match: Match, id: string): string {
  return Buffer.from(JSON.stringify([match, id])).toString('base64url')
}

/** @throws CatalogueCursorError INVALID_CURSOR */
export function parseCursor(text: string | undefined): z.infer<typeof Cursor> | undefined {
  if (text === undefined) return undefined
  try {
    return Cursor.parse(JSON.parse(Buffer.from(text, 'base64url').toString()))
  } catch {
    throw new CatalogueCursorError('cursor: expected the value of `next` in the previous page')
  }
}
