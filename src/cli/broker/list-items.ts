import type { BrokerClient } from '../../client/broker-client.ts'
import type { OptionsArgument } from '../../client/broker-request.ts'
import { type ItemOf, type PagedPath, pages } from '../../client/pages.ts'

/** The largest page of the broker. */
const MAX_PAGE_SIZE = 500

/** The items of a list, and whether there are more. */
export type ItemList<Item> = { readonly items: readonly Item[]; readonly more: boolean }

/**
 * Reads a list, page by page.
 * @param limit the maximum number of items; 0 reads all
 */
export async function listItems<Path extends PagedPath>(
  client: BrokerClient,
  path: Path,
  { limit, query, params = {}, signal }: ListOptions,
): Promise<ItemList<ItemOf<Path>>> {
  const size = limit === 0 ? MAX_PAGE_SIZE : Math.min(limit, MAX_PAGE_SIZE)
  const options = { params: { path: params, query: { ...query, limit: size } }, signal }
  const items: ItemOf<Path>[] = []
  // The types of the parameters are those of this function's callers.
  for await (const item of pages(client, path, ...([options] as unknown as OptionsArgument<'get', Path>))) {
    if (limit !== 0 && items.length === limit) return { items, more: true }
    items.push(item)
  }
  return { items, more: false }
}

type ListOptions = {
  readonly limit: number
  readonly query?: object
  readonly params?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** Formats a list for people, one item after the other. */
export function listText<Item>({ items, more }: ItemList<Item>, text: (item: Item) => string): string {
  return items.map(text).join('') + (more ? 'and more: raise --limit, or use --limit 0 for all\n' : '')
}
