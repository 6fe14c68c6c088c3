import type { ItemCount } from '../db/terms/term-query.ts'
import { formatCursor } from './cursor.ts'
import { type ComparedRow, comparedAtOf } from './known-images.ts'
import type { Listed } from './listed-images.ts'

/**
 * The stored documents of a page, in characters. A page that would be longer ends early, and `next` continues it, so
 * that no manifests occupy the main thread for long.
 */
const MAX_PAGE_LENGTH = 1024 * 1024
/** The ids of a page, and whether another one follows. */
export type Ids = { readonly ids: readonly string[]; readonly hasMore: boolean }

/** An image as a page shows it. */
export type Row = ComparedRow & {
  readonly id: string
  readonly reference: string
  readonly digest: string
  readonly document: string
  readonly seen_at: number
}

/** Leaves out the rows with which a page would be too long. There is at least one row. */
export function fitting(rows: Row[], { ids, hasMore }: Ids): Ids & { readonly rows: readonly Row[] } {
  let length = 0
  const end = rows.findIndex(({ document }, n) => {
    length += document.length
    return n > 0 && length > MAX_PAGE_LENGTH
  })
  if (end < 0) return { rows, ids, hasMore }
  const kept = rows.slice(0, end)
  return { rows: kept, ids: ids.slice(0, ids.indexOf(kept.at(-1)?.id ?? '') + 1), hasMore: true }
}

/** What listings show of every image. */
export function listed(row: Row): Listed {
  const comparedAt = comparedAtOf(row)
  return { reference: row.reference, seenAt: row.seen_at, ...(comparedAt && { comparedAt }) }
}

/** The items of a page, with the cursor of the next one. */
export function pageOf<Item>(items: Item[], { ids, hasMore }: Ids): { items: Item[]; next?: string } {
  const last = ids.at(-1)
  return hasMore && last ? { items, next: formatCursor('repository', last) } : { items }
}

/** The total of several parts of a listing. */
export function sum(totals: readonly ItemCount[]): ItemCount {
  return {
    count: totals.reduce((all, { count }) => all + count, 0),
    isLowerBound: totals.some(({ isLowerBound }) => isLowerBound),
  }
}
