import type { Transaction } from 'kysely'
import type {
  CachedLayer,
  CachedLayerWithIndex,
  LayerCache,
  LayerLookup,
  LayerSharing,
  NewCachedLayer,
} from '../conversion/reuse/layer-cache.ts'
import type { LayerKey } from '../conversion/reuse/layer-key.ts'
import type { Database } from '../db/database.ts'
import { projectKey } from '../db/project-scope.ts'
import type { Tables } from '../db/tables.ts'
import { markUsed, removeMissing } from './cache-tables.ts'
import { evictFairly } from './evict.ts'
import { ForeignLayers } from './foreign-layers.ts'
import { keysWithIndex, selectLayers, toCachedLayer, withIndex } from './layer-rows.ts'

/**
 * The size of the parts in which an index is stored. Databases copy a value several times while they write
 * it.
 */
const PART_BYTES = 1 << 20

/** Stores the converted layers of one project in the database. Those of all projects together are bounded. */
export class ConvertedLayers implements LayerCache {
  readonly #database: Database
  readonly #limit: number
  readonly #project: string

  /** @param limit the maximum number of layers of all projects */
  constructor(database: Database, limit: number, project: string) {
    this.#database = database
    this.#limit = limit
    this.#project = project
  }

  async find({ exact }: LayerKey): Promise<CachedLayer | undefined> {
    const key = projectKey(this.#project, exact)
    const row = await selectLayers(this.#database).where('exact_key', '=', key).executeTakeFirst()
    if (!row) return undefined
    await markUsed(this.#database, 'converted_layers', key)
    return toCachedLayer(row)
  }

  async findAny({ base }: LayerKey): Promise<CachedLayer | undefined> {
    const row = await this.#ofBase(base).executeTakeFirst()
    return row && toCachedLayer(row)
  }

  async findWithIndex({ base }: LayerKey): Promise<CachedLayerWithIndex | undefined> {
    const row = await this.#ofBase(base)
      .where('exact_key', 'in', keysWithIndex(this.#database))
      .executeTakeFirst()
    if (!row) return undefined
    const layer = await withIndex(this.#database, row)
    await markUsed(this.#database, 'converted_layers', row.exact_key)
    return layer
  }

  async hasForeign(): Promise<boolean> {
    // Two ranges of the index: a condition with `<>` would read all rows of this project.
    const one = (operator: '<' | '>') =>
      this.#database.query
        .selectFrom('converted_layers')
        .select('project')
        .where('project', operator, this.#project)
        .limit(1)
        .executeTakeFirst()
    return (await one('<')) !== undefined || (await one('>')) !== undefined
  }

  foreign(sharing: LayerSharing): LayerLookup {
    return new ForeignLayers(this.#database, this.#project, sharing)
  }

  async put(key: LayerKey, cached: NewCachedLayer, index: Uint8Array | undefined): Promise<void> {
    const { now } = this.#database
    const exact_key = projectKey(this.#project, key.exact)
    const values = {
      base_key: key.base,
      shared_key: key.exact,
      source_host: cached.sourceHost,
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
        .values({ exact_key, project: this.#project, ...values })
        .onConflict((conflict) => conflict.column('exact_key').doUpdateSet(values))
        .execute()
      await replaceIndex(transaction, exact_key, index)
      await evictFairly(transaction, 'converted_layers', this.#limit)
    })
  }

  remove({ exact }: LayerKey): Promise<void> {
    return removeMissing(this.#database, 'converted_layers', projectKey(this.#project, exact))
  }

  #ofBase(base: string) {
    return selectLayers(this.#database)
      .where('base_key', '=', base)
      .where('project', '=', this.#project)
      .limit(1)
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
