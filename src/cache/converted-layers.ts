import type { Transaction } from 'kysely'
import type { CachedLayer, CachedLayerWithIndex, LayerCache } from '../conversion/reuse/layer-cache.ts'
import type { LayerKey } from '../conversion/reuse/layer-key.ts'
import type { Database } from '../db/database.ts'
import type { Tables } from '../db/tables.ts'
import { evictLeastRecentlyUsed, markUsed, removeMissing } from './cache-tables.ts'

/**
 * The size of the parts in which an index is stored. Databases copy a value several times while they write
 * it.
 */
const PART_BYTES = 1 << 20

/**
 * Stores converted layers in the database, up to a number of them. The least recently used ones are evicted.
 */
export class ConvertedLayers implements LayerCache {
  readonly #database: Database
  readonly #limit: number

  /** @param limit the maximum number of layers */
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
    await markUsed(this.#database, 'converted_layers', exact)
    return toCachedLayer(row)
  }

  async findAny({ base }: LayerKey): Promise<CachedLayer | undefined> {
    const row = await this.#database.query
      .selectFrom('converted_layers')
      .select(['layer', 'host', 'repository'])
      .where('base_key', '=', base)
      .orderBy('used_at', 'desc')
      .limit(1)
      .executeTakeFirst()
    return row && toCachedLayer(row)
  }

  async findWithIndex({ base }: LayerKey): Promise<CachedLayerWithIndex | undefined> {
    const row = await this.#database.query
      .selectFrom('converted_layers')
      .select(['exact_key', 'layer', 'host', 'repository'])
      .where('base_key', '=', base)
      .where('exact_key', 'in', (indexes) =>
        indexes.selectFrom('converted_layer_indexes').select('exact_key'),
      )
      .orderBy('used_at', 'desc')
      .limit(1)
      .executeTakeFirst()
    if (!row) return undefined
    const parts = await this.#database.query
      .selectFrom('converted_layer_indexes')
      .select('bytes')
      .where('exact_key', '=', row.exact_key)
      .orderBy('part')
      .execute()
    await markUsed(this.#database, 'converted_layers', row.exact_key)
    return { ...toCachedLayer(row), index: joinParts(parts.map(({ bytes }) => bytes)) }
  }

  async put(key: LayerKey, cached: CachedLayer, index: Uint8Array | undefined): Promise<void> {
    const { now } = this.#database
    const values = {
      base_key: key.base,
      layer: JSON.stringify(cached.layer),
      digest: cached.layer.digest,
      size: cached.layer.size,
      host: cached.host,
      repository: cached.repository,
      used_at: now,
      checked_at: now,
    }
    await this.#database.transaction(async (transaction) => {
      await transaction
        .insertInto('converted_layers')
        .values({ exact_key: key.exact, ...values })
        .onConflict((conflict) => conflict.column('exact_key').doUpdateSet(values))
        .execute()
      await replaceIndex(transaction, key.exact, index)
      await evictLeastRecentlyUsed(transaction, 'converted_layers', this.#limit)
    })
  }

  remove({ exact }: LayerKey): Promise<void> {
    return removeMissing(this.#database, 'converted_layers', exact)
  }
}

/** Replaces the index of a layer. */
async function replaceIndex(
  query: Transaction<Tables>,
  exact_key: string,
  index: Uint8Array | undefined,
): Promise<void> {
  await query.deleteFrom('converted_layer_indexes').where('exact_key', '=', exact_key).execute()
  for (let part = 0; index && part * PART_BYTES < index.length; part++) {
    const bytes = index.subarray(part * PART_BYTES, (part + 1) * PART_BYTES)
    await query.insertInto('converted_layer_indexes').values({ exact_key, part, bytes }).execute()
  }
}

/**
 * Joins the parts of an index, and frees their memory at once. The PostgreSQL client shares buffers, which
 * are kept.
 */
function joinParts(parts: readonly Uint8Array[]): Uint8Array {
  const index = Buffer.concat(parts)
  for (const { buffer, byteLength } of parts) {
    if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
  }
  return index
}

function toCachedLayer(row: { layer: string; host: string; repository: string }): CachedLayer {
  return { layer: JSON.parse(row.layer), host: row.host, repository: row.repository }
}
