import type { CachedLayer, CachedLayerWithIndex } from '../conversion/reuse/layer-cache.ts'
import type { Database } from '../db/database.ts'

/** A row of a converted layer, without its index. */
export type LayerRow = { readonly exact_key: string } & CachedLayer

/** Selects converted layers, those first that were used last. */
export function selectLayers({ query }: Database) {
  return query
    .selectFrom('converted_layers')
    .select(['exact_key', 'layer', 'host', 'repository'])
    .orderBy('used_at', 'desc')
}

export function toLayerRow(row: {
  readonly exact_key: string
  readonly layer: string
  readonly host: string
  readonly repository: string
}): LayerRow {
  return { ...row, layer: JSON.parse(row.layer) }
}

export function toCachedLayer({ layer, host, repository }: LayerRow): CachedLayer {
  return { layer, host, repository }
}

/** Reads the index of a layer, too. */
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
