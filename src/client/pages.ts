import type { BrokerClient } from './broker-client.ts'
import { BrokerError } from './broker-error.ts'
import type { OptionsArgument, PathWith, ResponseDocument } from './broker-request.ts'

type Page = { readonly items: readonly unknown[]; readonly next?: string | undefined }

/** The paths of lists that come in pages. */
export type PagedPath = {
  [Path in PathWith<'get'>]: ResponseDocument<'get', Path> extends Page
    ? 'next' extends keyof ResponseDocument<'get', Path>
      ? Path
      : never
    : never
}[PathWith<'get'>]

/** An item of a list. */
export type ItemOf<Path extends PagedPath> =
  ResponseDocument<'get', Path> extends { readonly items: readonly (infer Item)[] } ? Item : never

/**
 * Iterates over the items of a list, page by page. `params.query.limit` is the size of a page, and
 * `params.query.cursor` where to start. The next page is read only when the iteration reaches it.
 * @throws BrokerError
 */
export async function* pages<Path extends PagedPath>(
  client: BrokerClient,
  path: Path,
  ...[options]: OptionsArgument<'get', Path>
): AsyncGenerator<ItemOf<Path>, void, undefined> {
  let cursor: string | undefined
  for (;;) {
    const page = (await client.get(path, ...([atCursor(options, cursor)] as never))) as unknown as Page
    yield* page.items as readonly ItemOf<Path>[]
    const { next } = page
    if (next === undefined) return
    // A list that leads back to the same page would never end.
    if (next === cursor) throw new BrokerError('INVALID_RESPONSE', `${path}: a page names itself as the next`)
    cursor = next
  }
}

type ListOptions = { readonly params?: { readonly query?: object } }

function atCursor(options: ListOptions = {}, cursor: string | undefined): ListOptions {
  if (cursor === undefined) return options
  return { ...options, params: { ...options.params, query: { ...options.params?.query, cursor } } as object }
}
