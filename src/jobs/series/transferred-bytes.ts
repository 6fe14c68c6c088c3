/** Sizes of compressed layers, in bytes. */
export type TransferredBytes = {
  /** Source layers that were converted, and layers that were verified. */
  readonly bytesIn: number
  /** Layers that were converted, or arranged again from a layer that was converted before. */
  readonly bytesOut: number
  /** Layers of earlier conversions that were used unchanged. */
  readonly bytesReused: number
}

type Layer = {
  readonly action?: string
  readonly size?: number
  readonly source?: { readonly size?: number }
}
type Report = {
  readonly reused?: boolean
  readonly size?: number
  readonly images?: readonly { readonly layers?: readonly Layer[] }[]
}

/**
 * Adds up the bytes in the report of a conversion. The report of a verification has the layers that it read
 * without an action.
 */
export function transferredBytes(report: unknown): TransferredBytes {
  const { reused, size = 0, images } = (report ?? {}) as Report
  if (reused) return { bytesIn: 0, bytesOut: 0, bytesReused: size }
  let [bytesIn, bytesOut, bytesReused] = [0, 0, 0]
  for (const layer of Array.isArray(images) ? images.flatMap(({ layers = [] }) => layers) : []) {
    const bytes = layer.size ?? 0
    if (layer.action === 'reused') bytesReused += bytes
    else if (layer.action === undefined) bytesIn += bytes
    else if (layer.action !== 'duplicate') {
      if (layer.action !== 'rearranged') bytesIn += layer.source?.size ?? 0
      bytesOut += bytes
    }
  }
  return { bytesIn, bytesOut, bytesReused }
}
