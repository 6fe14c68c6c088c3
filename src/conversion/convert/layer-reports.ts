import type { LayerReport } from '../report.ts'
import type { LayerOutcome } from '../reuse/converted-layer.ts'
import type { Image } from '../source/image.ts'
import { layerWarnings } from '../warnings.ts'

/** Returns the reports on all layers of an image. A layer that was reported before is `duplicate`. */
export function toLayerReports(image: Image, outcomes: readonly LayerOutcome[]): LayerReport[] {
  const reported = new Set<string>()
  return outcomes.map(({ layer, action }, i) => {
    const { digest = layer.sourceDiffId, size = 0, mediaType = '' } = image.manifest.layers[i] ?? {}
    const warnings = layerWarnings(layer)
    const key = `${digest} ${layer.digest}`
    const isRepeated = reported.has(key)
    reported.add(key)
    return {
      action: isRepeated ? 'duplicate' : action,
      source: { digest, size, mediaType },
      digest: layer.digest,
      size: layer.size,
      diffId: layer.diffId,
      uncompressedSize: layer.uncompressedSize,
      tocDigest: layer.tocDigest,
      entryCount: layer.entries,
      ...(layer.landmark && { landmark: layer.landmark }),
      prioritizedFileCount: layer.prioritizedFiles,
      prefetchBytes: layer.prefetchBytes,
      compression: layer.compression,
      ...(warnings.length > 0 && { warnings }),
    }
  })
}
