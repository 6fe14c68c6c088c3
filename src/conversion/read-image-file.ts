import { allOrAbort } from '../concurrency/all-or-abort.ts'
import { readFile } from '../estargz/read/read-file.ts'
import { type OpenedEStargz, openEStargz, type RangedBlob } from '../estargz/read/read-toc.ts'
import { RecordStepBudget } from '../records/record-step-budget.ts'
import { MergedView } from '../rootfs/merged-view.ts'
import { LayerError } from '../tar/layer-error.ts'
import { cleanName } from '../tar/names.ts'
import { ConversionError } from './errors.ts'
import { TOC_DIGEST_ANNOTATION } from './output/assemble-image.ts'
import { RequestTally } from './request-bounds.ts'
import type { ConversionServices } from './services.ts'
import { ExternalTocs } from './source/external-tocs.ts'
import { ImageReader } from './source/image-reader.ts'
import { explainLayerError } from './source/supported-layers.ts'

/**
 * Reads a file of an image as a container would see it. Only the tables of contents and the chunks of the
 * file are fetched, by ranged requests, and every chunk is verified. All layers must be eStargz or
 * zstd:chunked.
 * @param options.platform selects an image of an index; default: the first image
 * @throws LayerError NOT_FOUND, NOT_ESTARGZ, VERIFICATION_FAILED; ConversionError; RegistryError
 */
export async function* readImageFile(
  reference: string,
  path: string,
  { registries, limits }: Pick<ConversionServices, 'registries' | 'limits'>,
  options: { readonly platform?: string | undefined; readonly signal: AbortSignal },
): AsyncGenerator<Buffer, void, void> {
  const { platform, signal } = options
  const reader = new ImageReader({ registries, tally: new RequestTally(), signal })
  const opened = await reader.open(reference)
  const { images } = await reader.read(opened, platform === undefined ? undefined : [platform])
  const [image] = images
  if (!image) throw new ConversionError('NOT_AN_IMAGE', `${opened.pinned} has no image`)
  const tocs = new ExternalTocs(opened.repository, opened.reference, limits)
  const layers = await allOrAbort(image.manifest.layers, signal, async (layer) => {
    const blob: RangedBlob = {
      size: layer.size,
      readRange: async (start, end) => {
        try {
          return await opened.repository.readBlobRange(layer, start, end, { signal })
        } catch (error) {
          throw explainLayerError(layer, error)
        }
      },
    }
    const view = await openEStargz({
      ...blob,
      limits,
      tocDigest: layer.annotations?.[TOC_DIGEST_ANNOTATION],
      externalToc: () => tocs.read(layer.digest, signal),
    })
    return { blob, view, listing: listEntries(view) }
  })
  const mergedView = new MergedView(
    layers.map(({ listing }) => listing),
    new RecordStepBudget(),
  )
  const result = mergedView.open(path)
  const node = result.kind === 'found' ? result.traversed.at(-1) : undefined
  const entryRef = node === undefined ? undefined : mergedView.refOf(node)
  const layer = layers[entryRef?.layer ?? -1]
  const name = layer?.listing[entryRef?.entry ?? -1]?.name
  if (!layer || name === undefined) {
    throw new LayerError('NOT_FOUND', `${opened.pinned} has no file ${path}`, { entry: path })
  }
  yield* readFile(layer.view, layer.blob, name)
}

/** Lists the entries in the form of a layer listing; further chunks of a file are not entries. */
function listEntries({ entries }: OpenedEStargz) {
  return entries.flatMap(({ name, type, linkName }) =>
    type === 'chunk' ? [] : { name: cleanName(name), type, linkName },
  )
}
