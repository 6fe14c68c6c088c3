import type { Transaction } from 'kysely'
import type { CachedIndex, CachedLayer, LayerCache } from '../conversion/reuse/layer-cache.ts'
import type { LayerKey } from '../conversion/reuse/layer-key.ts'
import type { Database } from '../db/open.ts'
import type { Tables } from '../db/tables.ts'
import { forgetGone, keepNewest, touch } from './entries.ts'

/** Databases hold a value several times over while they write it. */
const PART_BYTES = 1 << 20

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

  async findAny({ base }: LayerKey): Promise<CachedLayer | undefined> {
    const row = await this.#database.query
      .selectFrom('converted_layers')
      .select(['layer', 'host', 'repository'])
      .where('base_key', '=', base)
      .orderBy('used_at', 'desc')
      .limit(1)
      .executeTakeFirst()
    return row && cachedLayer(row)
  }

  async findIndex({ base }: LayerKey): Promise<CachedIndex | undefined> {
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
    await touch(this.#database, 'converted_layers', row.exact_key)
    return { ...cachedLayer(row), index: whole(parts.map(({ bytes }) => bytes)) }
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
      await putIndex(transaction, key.exact, index)
      await keepNewest(transaction, 'converted_layers', this.#limit)
    })
  }

  forget({ exact }: LayerKey): Promise<void> {
    return forgetGone(this.#database, 'converted_layers', exact)
  }
}

/** Puts an index in the place of the one that was there. */
async function putIndex(
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

/** Puts parts together, and gives their memory back at once where it is their own: PostgreSQL's has other things in it. */
function whole(parts: readonly Uint8Array[]): Uint8Array {
  const index = Buffer.concat(parts)
  for (const { buffer, byteLength } of parts) {
    if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
  }
  return index
}

function cachedLayer(row: { layer: string; host: string; repository: string }): CachedLayer {
  return { layer: JSON.parse(row.layer), host: row.host, repository: row.repository }
}
