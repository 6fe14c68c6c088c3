import { openEStargz } from '../../../src/estargz/read/read-toc.ts'
import type { TocEntry } from '../../../src/estargz/toc/toc-entry.ts'
import type { Descriptor } from '../../../src/oci/documents.ts'
import type { Repository } from '../../../src/registry/repository.ts'
import type { LayerLimits } from '../../../src/tar/layer-limits.ts'
import { cleanName } from '../../../src/tar/names.ts'
import type { RecordedRequest } from '../servers/test-registry.ts'

/** A GET of a blob. Without a range, it requests the complete blob. */
export type BlobGet = { readonly digest: string; readonly range: string | undefined }

/** Returns the GETs of blobs among the requests that a registry received. */
export function findBlobGets(requests: readonly RecordedRequest[]): BlobGet[] {
  return requests.flatMap(({ method, url, headers }) => {
    const digest = /\/blobs\/([^/?]+:[^/?]+)$/.exec(url)?.[1]
    return method === 'GET' && digest !== undefined ? [{ digest, range: headers.range }] : []
  })
}

type OpenedLayer = { readonly size: number; readonly entries: readonly TocEntry[] }

/** Maps byte ranges of the layers of an eStargz image to the files in them. */
export class LayerFiles {
  readonly #layers: ReadonlyMap<string, OpenedLayer>

  private constructor(layers: ReadonlyMap<string, OpenedLayer>) {
    this.#layers = layers
  }

  static async open(
    repository: Repository,
    layers: readonly Descriptor[],
    limits: LayerLimits,
  ): Promise<LayerFiles> {
    const opened = new Map<string, OpenedLayer>()
    for (const layer of layers) {
      const { digest, size } = layer
      const readRange = (start: number, end: number) => repository.readBlobRange(layer, start, end)
      opened.set(digest, { size, entries: (await openEStargz({ size, readRange, limits })).entries })
    }
    return new LayerFiles(opened)
  }

  /**
   * Returns the files whose bytes a GET requests. Readers round ranges up, so neighbours of a file are
   * included.
   */
  filesIn({ digest, range }: BlobGet): string[] {
    const layer = this.#layers.get(digest)
    if (!layer) return []
    const parts = range === undefined ? [[0, layer.size]] : parseRange(range)
    const offsets = [...new Set(layer.entries.flatMap(({ offset }) => offset ?? []))].toSorted(
      (a, b) => a - b,
    )
    const names = new Set<string>()
    for (const { type, name, offset } of layer.entries) {
      if (offset === undefined || (type !== 'reg' && type !== 'chunk')) continue
      const end = offsets[offsets.indexOf(offset) + 1] ?? layer.size
      if (parts.some(([from = 0, to = 0]) => offset < to && end > from)) names.add(cleanName(name))
    }
    return [...names]
  }
}

/** Returns the start and the exclusive end of each part of a range. */
function parseRange(range: string): number[][] {
  return [...range.matchAll(/(\d+)-(\d+)/g)].map(([, from, last]) => [Number(from), Number(last) + 1])
}
