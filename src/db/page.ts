/**
 * Returns a page of what a query found, and the cursor of the next page if there is one.
 * @param found up to one item more than `limit`: that item only tells that there are more
 */
export function pageOf<Item>(
  found: readonly Item[],
  limit: number,
  cursorOf: (last: Item) => string,
): { readonly items: Item[]; readonly next?: string } {
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return { items, ...(found.length > limit && last !== undefined && { next: cursorOf(last) }) }
}
