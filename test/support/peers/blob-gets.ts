import { openEStargz } from '../../../src/estargz/read/read-toc.ts'
import type { TocEntry } from '../../../src/estargz/toc/toc-entry.ts'
import type { Descriptor } from '../../../src/oci/documents.ts'
import type { Repository } from '../../../src/registry/repository.ts'
import type { LayerLimits } from '../../../src/tar/layer-limits.ts'
import { cleanName } from '../../../src/tar/names.ts'
import type { RecordedRequest } from '../servers/test-registry.ts'

/** A GET of a blob, by its digest. Without a range it is of the whole. */
export type BlobGet = { readonly digest: string; readonly range: string | undefined }

/** The GETs of blobs among the requests that a registry got. */
export function findBlobGets(asked: readonly RecordedRequest[]): BlobGet[] {
  return asked.flatMap(({ method, url, headers }) => {
    const digest = /\/blobs\/([^/?]+:[^/?]+)$/.exec(url)?.[1]
    return method === 'GET' && digest !== undefined ? [{ digest, range: headers.range }] : []
  })
}

type Opened = { readonly size: number; readonly entries: readonly TocEntry[] }

/** Where in the layers of an eStargz image the content of its files lies. */
export class LayerFiles {
  readonly #layers: ReadonlyMap<string, Opened>

  private constructor(layers: ReadonlyMap<string, Opened>) {
    this.#layers = layers
  }

  static async open(
    repository: Repository,
    layers: readonly Descriptor[],
    limits: LayerLimits,
  ): Promise<LayerFiles> {
    const opened = new Map<string, Opened>()
    for (const layer of layers) {
      const { digest, size } = layer
      const readRange = (start: number, end: number) => repository.readBlobRange(layer, start, end)
      opened.set(digest, { size, entries: (await openEStargz({ size, readRange, limits })).entries })
    }
    return new LayerFiles(opened)
  }

  /**
   * The files of which a GET has bytes. Readers round the range of what they want, so that neighbours of a file are among
   * them.
   */
  filesIn({ digest, range }: BlobGet): string[] {
    const layer = this.#layers.get(digest)
    if (!layer) return []
    const parts = range === undefined ? [[0, layer.size]] : partsOf(range)
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

/** Each part of a range, its end not included. */
function partsOf(range: string): number[][] {
  return [...range.matchAll(/(\d+)-(\d+)/g)].map(([, from, last]) => [Number(from), Number(last) + 1])
}
