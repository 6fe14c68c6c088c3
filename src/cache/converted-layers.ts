import type { CachedIndex, CachedLayer, LayerCache, LayerKey } from '../conversion/layer-cache.ts'
import type { Database } from '../db/open.ts'
import { forgetGone, keepNewest, touch } from './entries.ts'

/** Remembers converted layers in the database: up to a number of them, those that were used last. */
export class ConvertedLayers implements LayerCache {
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
    await touch(this.#database, 'converted_layers', exact)
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
    await touch(this.#database, 'converted_layers', row.exact_key)
    return { ...cachedLayer(row), index: Buffer.from(row.member_index, 'base64') }
  }

  async put(key: LayerKey, cached: CachedLayer, index: Uint8Array | undefined): Promise<void> {
    const { query, now } = this.#database
    const values = {
      base_key: key.base,
      layer: JSON.stringify(cached.layer),
      digest: cached.layer.digest,
      size: cached.layer.size,
      host: cached.host,
      repository: cached.repository,
      member_index: index ? Buffer.from(index).toString('base64') : null,
      used_at: now,
      checked_at: now,
    }
    await query
      .insertInto('converted_layers')
      .values({ exact_key: key.exact, ...values })
      .onConflict((conflict) => conflict.column('exact_key').doUpdateSet(values))
      .execute()
    await keepNewest(this.#database, 'converted_layers', this.#limit)
  }

  forget({ exact }: LayerKey): Promise<void> {
    return forgetGone(this.#database, 'converted_layers', exact)
  }
}

function cachedLayer(row: { layer: string; host: string; repository: string }): CachedLayer {
  return { layer: JSON.parse(row.layer), host: row.host, repository: row.repository }
}
