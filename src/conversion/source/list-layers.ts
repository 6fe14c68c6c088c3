import { allOrAbort } from '../../concurrency/all-or-abort.ts'
import { Memo } from '../../concurrency/memo.ts'
import { fetchToc } from '../../estargz/toc/read-toc.ts'
import type { Descriptor } from '../../oci/documents.ts'
import { layerCompression } from '../../oci/media-types.ts'
import type { Repository } from '../../registry/repository.ts'
import { LayerError } from '../../tar/errors.ts'
import type { RequestTally } from '../request-bounds.ts'
import type { ConversionServices } from '../services.ts'
import type { Image } from './images.ts'
import type { ListedLayer } from './listed-layer.ts'
import type { ListedLayerCache } from './listed-layer-cache.ts'
import { assertSupportedType, layerFailure } from './supported-layers.ts'

/** What looking into images needs. */
export type ImageServices = Pick<
  ConversionServices,
  'registries' | 'threads' | 'limits' | 'bounds' | 'maxRecordSteps'
> & {
  /** What was listed before, where that is remembered. */
  readonly known?: ListedLayerCache
}

/** The same for one request or job. */
export type ListingServices = ImageServices & { readonly tally: RequestTally }

/** Tables of contents in memory at a time, each of up to a quarter of the bound on decompressed ones. */
export const TABLES_AT_ONCE = 4

/**
 * What is in the layers of an image: from the table of contents where a layer has one, else by reading it whole.
 * @param scan false: layers are not read whole
 * @returns undefined when a layer would have to be
 * @throws RegistryError; LayerError; ConversionError UNSUPPORTED_LAYER, LIMIT_EXCEEDED
 */
export async function listLayers(
  repository: Repository,
  image: Image,
  services: ListingServices,
  options: { readonly scan: boolean; readonly signal: AbortSignal },
): Promise<ListedLayer[] | undefined> {
  const memo = new Memo<ListedLayer | undefined>()
  const listed = await allOrAbort(
    image.manifest.layers,
    options.signal,
    (layer, _, signal) =>
      memo.get(`${layer.digest} ${layer.size}`, async () => {
        const known = services.known?.get(layer.digest)
        const found =
          known?.size === layer.size
            ? known
            : await listLayer(repository, layer, services, {
                ...options,
                of: image.descriptor.digest,
                signal,
              })
        if (found) {
          services.known?.add(found)
          services.tally.layer(found.columns.nameEnd.length, 0)
        }
        return found
      }),
    TABLES_AT_ONCE,
  )
  const all = listed.filter((layer) => layer !== undefined)
  return all.length === listed.length ? all : undefined
}

async function listLayer(
  repository: Repository,
  layer: Descriptor,
  services: ListingServices,
  { of, scan, signal }: { readonly of: string; readonly scan: boolean; readonly signal: AbortSignal },
): Promise<ListedLayer | undefined> {
  assertSupportedType(layer, of)
  const { digest, size } = layer
  const isPlain = layerCompression(layer.mediaType) === 'none'
  try {
    const listed = isPlain ? undefined : await listByToc(repository, layer, services, signal)
    if (listed || !scan) return listed
    const { threads, limits, tally } = services
    const input = () => repository.blob(layer, { signal })
    const { columns, plainBytes } = await threads.run({ kind: 'list', limits }, { input, signal })
    tally.layer(0, plainBytes)
    return { digest, size, columns, exact: false }
  } catch (error) {
    throw layerFailure(layer, error)
  }
}

async function listByToc(
  repository: Repository,
  layer: Descriptor,
  { threads, limits }: ListingServices,
  signal: AbortSignal,
): Promise<ListedLayer | undefined> {
  const { digest, size } = layer
  try {
    const readRange = (start: number, end: number) => repository.blobRange(layer, start, end, { signal })
    const toc = await fetchToc({ size, readRange, limits })
    const { view, columns } = await threads.run({ kind: 'toc', limits, toc, list: true }, { signal })
    if (!columns) throw new RangeError('a table of contents was listed')
    return { digest, size, columns, tocOffset: view.membersEnd, exact: true }
  } catch (error) {
    if (error instanceof LayerError && error.code === 'NOT_ESTARGZ') return undefined
    throw error
  }
}
