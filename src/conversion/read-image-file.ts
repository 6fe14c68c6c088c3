import { allOrAbort } from '../concurrency/all-or-abort.ts'
import { readFile } from '../estargz/read-file/read-file.ts'
import { type OpenedEStargz, openEStargz, type RangedBlob } from '../estargz/toc/read-toc.ts'
import { StepBudget } from '../records/step-budget.ts'
import { MergedView } from '../rootfs/merged-view.ts'
import { LayerError } from '../tar/errors.ts'
import { cleanName } from '../tar/names.ts'
import { ConversionError } from './errors.ts'
import { TOC_DIGEST_ANNOTATION } from './output/assemble-image.ts'
import { RequestTally } from './request-bounds.ts'
import type { ConversionServices } from './services.ts'
import { ExternalTocs } from './source/external-tocs.ts'
import { openReference, readImages } from './source/images.ts'
import { layerFailure } from './source/supported-layers.ts'

/**
 * Reads a file of an image as a container would see it, by ranges of its layers: nothing else of them is read, and every
 * chunk is verified. All layers have to be eStargz or zstd:chunked.
 * @param platform which image of an index; left out: the first
 * @throws LayerError NOT_FOUND, NOT_ESTARGZ, VERIFICATION_FAILED; ConversionError; RegistryError
 */
export async function* readImageFile(
  reference: string,
  path: string,
  { registries, limits }: Pick<ConversionServices, 'registries' | 'limits'>,
  o: { readonly platform?: string | undefined; readonly signal: AbortSignal },
): AsyncGenerator<Buffer, void, void> {
  const { signal } = o
  const opened = await openReference(registries, reference, signal)
  const { images } = await readImages(
    opened,
    o.platform === undefined ? undefined : [o.platform],
    new RequestTally(),
    signal,
  )
  const [image] = images
  if (!image) throw new ConversionError('NOT_AN_IMAGE', `${opened.pinned} has no image`)
  const tocs = new ExternalTocs(opened.repository, opened.reference, limits)
  const layers = await allOrAbort(image.manifest.layers, signal, async (layer) => {
    const blob: RangedBlob = {
      size: layer.size,
      readRange: async (start, end) => {
        try {
          return await opened.repository.blobRange(layer, start, end, { signal })
        } catch (error) {
          throw layerFailure(layer, error)
        }
      },
    }
    const view = await openEStargz({
      ...blob,
      limits,
      tocDigest: layer.annotations?.[TOC_DIGEST_ANNOTATION],
      externalToc: () => tocs.of(layer.digest, signal),
    })
    return { blob, view, listing: listingOf(view) }
  })
  const files = new MergedView(
    layers.map(({ listing }) => listing),
    new StepBudget(),
  )
  const found = files.open(path)
  const node = found.found ? found.passed.at(-1) : undefined
  const place = node === undefined ? undefined : files.refOf(node)
  const layer = layers[place?.layer ?? -1]
  const name = layer?.listing[place?.entry ?? -1]?.name
  if (!layer || name === undefined) {
    throw new LayerError('NOT_FOUND', `${opened.pinned} has no file ${path}`, { entry: path })
  }
  yield* readFile(layer.view, layer.blob, name)
}

function listingOf({ entries }: OpenedEStargz) {
  return entries.flatMap(({ name, type, linkName }) =>
    type === 'chunk' ? [] : { name: cleanName(name), type, linkName },
  )
}
