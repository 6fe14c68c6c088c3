import type { CachedIndex, CachedLayer, LayerCache, LayerKey } from '../conversion/layer-cache.ts'
import type { Database } from '../db/open.ts'

/** Remembers converted layers in the database: up to a number of them, those that were used last. */
export class LayerCacheStore implements LayerCache {
  readonly #database: Database
  readonly #limit: number

  /** @param limit layers that are remembered */
  constructor(database: Database, limit: number) {
    this.#database = database
    this.#limit = limit
  }

  async find({ exact }: LayerKey): Promise<CachedLayer | undefined> {
    const row = await this.#database.query
      .selectFrom('converted_layers')
      .select(['layer', 'host', 'repository'])
      .where('exact_key', '=', exact)
      .executeTakeFirst()
    if (!row) return undefined
    await this.#touch(exact)
    return cachedLayer(row)
  }

  async findIndex({ base }: LayerKey): Promise<CachedIndex | undefined> {
    const row = await this.#database.query
      .selectFrom('converted_layers')
      .select(['exact_key', 'layer', 'host', 'repository', 'member_index'])
      .where('base_key', '=', base)
      .where('member_index', 'is not', null)
      .orderBy('used_at', 'desc')
      .limit(1)
      .executeTakeFirst()
    if (!row?.member_index) return undefined
    await this.#touch(row.exact_key)
    return { ...cachedLayer(row), index: Buffer.from(row.member_index, 'base64') }
  }

  async put(key: LayerKey, cached: CachedLayer, index: Uint8Array | undefined): Promise<void> {
    const { query, now } = this.#database
    const values = {
      base_key: key.base,
      layer: JSON.stringify(cached.layer),
      host: cached.host,
      repository: cached.repository,
      member_index: index ? Buffer.from(index).toString('base64') : null,
      used_at: now,
    }
    await query
      .insertInto('converted_layers')
      .values({ exact_key: key.exact, ...values })
      .onConflict((conflict) => conflict.column('exact_key').doUpdateSet(values))
      .execute()
    const oldest = query
      .selectFrom('converted_layers')
      .select('exact_key')
      .orderBy('used_at', 'desc')
      .orderBy('exact_key')
      .limit(this.#limit)
    await query.deleteFrom('converted_layers').where('exact_key', 'not in', oldest).execute()
  }

  async #touch(exact: string): Promise<void> {
    const { query, now } = this.#database
    await query.updateTable('converted_layers').set({ used_at: now }).where('exact_key', '=', exact).execute()
  }
}

function cachedLayer(row: { layer: string; host: string; repository: string }): CachedLayer {
  return { layer: JSON.parse(row.layer), host: row.host, repository: row.repository }
}
