import type { CachedLayer, CachedLayerWithIndex } from '../conversion/reuse/layer-cache.ts'
import type { Database } from '../db/database.ts'

/** A row of a converted layer, without its index. */
export type LayerRow = {
  readonly exact_key: string
  readonly layer: string
  readonly host: string
  readonly repository: string
}

/** Selects converted layers, those first that were used last. */
export function selectLayers({ query }: Database) {
  return query
    .selectFrom('converted_layers')
    .select(['exact_key', 'layer', 'host', 'repository'])
    .orderBy('used_at', 'desc')
}

/** The keys of the layers whose index is stored. */
export function keysWithIndex({ query }: Database) {
  return query.selectFrom('converted_layer_indexes').select('exact_key')
}

export function toCachedLayer({ layer, host, repository }: LayerRow): CachedLayer {
  return { layer: JSON.parse(layer), host, repository }
}

/** Returns a layer with its index, which it reads. */
export async function withIndex({ query }: Database, row: LayerRow): Promise<CachedLayerWithIndex> {
  const parts = await query
    .selectFrom('converted_layer_indexes')
    .select('bytes')
    .where('exact_key', '=', row.exact_key)
    .orderBy('part')
    .execute()
  return { ...toCachedLayer(row), index: joinParts(parts.map(({ bytes }) => bytes)) }
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
