import type {
  CachedLayer,
  CachedLayerWithIndex,
  LayerLookup,
  LayerSharing,
} from '../conversion/reuse/layer-cache.ts'
import type { LayerKey } from '../conversion/reuse/layer-key.ts'
import type { Database } from '../db/database.ts'
import { keysWithIndex, type LayerRow, selectLayers, toCachedLayer, withIndex } from './layer-rows.ts'

/** Layers of other projects that are looked at. Each may be in a repository that this project may not read. */
const MAX_CANDIDATES = 4

/**
 * Layers that other projects converted from a registry. They are not marked as used: what one project does keeps no
 * entry of another.
 */
export class ForeignLayers implements LayerLookup {
  readonly #database: Database
  readonly #project: string
  readonly #sharing: LayerSharing

  /** @param project the one that looks for layers */
  constructor(database: Database, project: string, sharing: LayerSharing) {
    this.#database = database
    this.#project = project
    this.#sharing = sharing
  }

  async find({ exact }: LayerKey): Promise<CachedLayer | undefined> {
    const row = await this.#preferred(await this.#select().where('shared_key', '=', exact).execute())
    return row && toCachedLayer(row)
  }

  async findAny({ base }: LayerKey): Promise<CachedLayer | undefined> {
    const [row] = await this.#select().where('base_key', '=', base).execute()
    return row && toCachedLayer(row)
  }

  async findWithIndex({ base }: LayerKey): Promise<CachedLayerWithIndex | undefined> {
    const rows = await this.#select()
      .where('base_key', '=', base)
      .where('exact_key', 'in', keysWithIndex(this.#database))
      .execute()
    const row = await this.#preferred(rows)
    return row && withIndex(this.#database, row)
  }

  #select() {
    return selectLayers(this.#database)
      .where('project', '<>', this.#project)
      .where('source_host', 'in', this.#sharing.sourceHosts)
      .limit(MAX_CANDIDATES)
  }

  /** The layer that can be read where it is, if there is one: all of them are equal. */
  async #preferred(rows: readonly LayerRow[]): Promise<LayerRow | undefined> {
    for (const row of rows) {
      if (await this.#sharing.mayRead(toCachedLayer(row))) return row
    }
    return rows[0]
  }
}
