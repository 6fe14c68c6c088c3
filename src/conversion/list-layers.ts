import { LayerError } from '../estargz/errors.ts'
import { cleanName, isReservedName } from '../estargz/names.ts'
import { type OpenedEStargz, openEStargz } from '../estargz/read.ts'
import type { Descriptor } from '../oci/documents.ts'
import { layerCompression } from '../oci/media-types.ts'
import type { MeasuredEntry, MeasuredLayer } from '../records/measured-layer.ts'
import type { Repository } from '../registry/repository.ts'
import type { ConversionServices } from './context.ts'
import { ConversionError } from './errors.ts'
import type { Image } from './image.ts'
import type { KnownLayers } from './known-layers.ts'
import { measuredByArchive } from './measured-by-index.ts'
import { Memo } from './memo.ts'
import { together } from './together.ts'

/** `known`: what was listed before, where that is remembered. */
export type ListingServices = Pick<ConversionServices, 'registries' | 'threads' | 'limits'> & {
  readonly known?: KnownLayers
}

/**
 * What is in the layers of an image: from the table of contents where a layer has one, else by reading it whole.
 * @param scan false: layers are not read whole
 * @returns undefined when a layer would have to be
 * @throws RegistryError; LayerError; ConversionError UNSUPPORTED_LAYER
 */
export async function listLayers(
  repository: Repository,
  image: Image,
  services: ListingServices,
  options: { readonly scan: boolean; readonly signal: AbortSignal },
): Promise<MeasuredLayer[] | undefined> {
  const memo = new Memo<MeasuredLayer | undefined>()
  const listed = await together(image.manifest.layers, options.signal, (layer, _, signal) =>
    memo.get(layer.digest, async () => {
      const known = services.known?.get(layer.digest)
      const found = known ?? (await listLayer(repository, layer, services, { ...options, signal }))
      if (found) services.known?.add(found)
      return found
    }),
  )
  const all = listed.filter((layer) => layer !== undefined)
  return all.length === listed.length ? all : undefined
}

async function listLayer(
  repository: Repository,
  layer: Descriptor,
  { threads, limits }: ListingServices,
  { scan, signal }: { readonly scan: boolean; readonly signal: AbortSignal },
): Promise<MeasuredLayer | undefined> {
  const compression = layerCompression(layer.mediaType)
  if (compression === undefined) {
    throw new ConversionError(
      'UNSUPPORTED_LAYER',
      `layer ${layer.digest} has the media type ${layer.mediaType}`,
    )
  }
  const opened = compression !== 'none' ? await openToc(repository, layer, limits, signal) : undefined
  if (opened) return measuredByToc(layer, opened)
  if (!scan) return undefined
  const input = () => repository.blob(layer, { signal })
  const { columns } = await threads.run({ kind: 'list', limits }, { input, signal })
  return measuredByArchive(layer, columns)
}

async function openToc(
  repository: Repository,
  layer: Descriptor,
  limits: ListingServices['limits'],
  signal: AbortSignal,
): Promise<OpenedEStargz | undefined> {
  try {
    const readRange = (start: number, end: number) => repository.blobRange(layer, start, end, { signal })
    return await openEStargz({ size: layer.size, readRange, limits })
  } catch (error) {
    if (error instanceof LayerError && error.code === 'NOT_ESTARGZ') return undefined
    throw error
  }
}

/** The content of a file reaches from its member to the next one of any entry. */
function measuredByToc(layer: Descriptor, { toc, membersEnd }: OpenedEStargz): MeasuredLayer {
  const starts = [...new Set(toc.entries.flatMap(({ offset }) => offset ?? []))].sort((a, b) => a - b)
  const next = new Map(starts.map((start, i) => [start, starts[i + 1] ?? membersEnd]))
  const entries: MeasuredEntry[] = []
  let file: { -readonly [Key in keyof MeasuredEntry]: MeasuredEntry[Key] } | undefined
  for (const { name, type, linkName, size, digest, offset } of toc.entries) {
    const packed = offset === undefined ? 0 : (next.get(offset) ?? offset) - offset
    if (type === 'chunk') {
      if (file) file.packed = (file.packed ?? 0) + packed
      continue
    }
    file = { name: cleanName(name), type, linkName, size, digest, ...(size && { offset, packed }) }
    if (!isReservedName(file.name)) entries.push(file)
  }
  const { digest, size } = layer
  return { digest, size, entries, tocOffset: membersEnd, exact: true }
}
