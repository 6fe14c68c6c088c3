import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { ArchiveIndex } from '../../estargz/index/archive-index.ts'
import { RecordStepBudget } from '../../records/record-step-budget.ts'
import { MergedView } from '../../rootfs/merged-view.ts'
import { ConversionError } from '../errors.ts'
import { RequestTally } from '../request-bounds.ts'
import type { ConversionServices } from '../services.ts'
import { ImageReader } from '../source/image-reader.ts'
import { assertSupportedType, explainLayerError } from '../source/supported-layers.ts'
import { type ContainerProcess, readContainerProcess } from './container-process.ts'
import { hostPlatform } from './host-platform.ts'
import { planRoot } from './plan-root.ts'
import { RootWriter } from './root-writer.ts'

export type UnpackedImage = {
  /** The reference with the digest that was unpacked. */
  readonly pinned: string
  readonly platform: string
  /** The process that the image starts by default. */
  readonly process: ContainerProcess
  /** The number of device files and pipes that were left out. */
  readonly omittedCount: number
}

export type UnpackProgress = { readonly layerCount: number; readonly doneLayerCount: number }

/**
 * Unpacks the root file system of an image, as a container sees it, to a new folder: files with their modes,
 * times and, as root, owners. Extended attributes, device files and pipes are left out.
 * @param folder must not exist; it holds the compressed layers, too, until they are unpacked
 * @param options.platform selects an image of an index; default: that of this machine
 * @throws ConversionError PLATFORM_NOT_FOUND, NOT_AN_IMAGE, UNSUPPORTED_LAYER; LayerError; RegistryError; errors
 *   of the file system
 */
export async function unpackImage(
  reference: string,
  folder: string,
  {
    registries,
    threads,
    limits,
    bounds,
  }: Pick<ConversionServices, 'registries' | 'threads' | 'limits' | 'bounds'>,
  options: {
    readonly platform?: string | undefined
    readonly signal: AbortSignal
    readonly onProgress?: (progress: UnpackProgress) => void
  },
): Promise<UnpackedImage> {
  const { signal, platform, onProgress = () => undefined } = options
  const reader = new ImageReader({ registries, tally: new RequestTally(bounds), signal })
  const opened = await reader.open(reference)
  // An image that is no index is unpacked whatever its platform.
  const wanted = platform ?? (opened.document.kind === 'index' ? hostPlatform() : undefined)
  const { images } = await reader.read(opened, wanted === undefined ? undefined : [wanted])
  const [image] = images
  if (!image) throw new ConversionError('NOT_AN_IMAGE', `${opened.pinned} has no image`)
  const { layers } = image.manifest
  const blobs = `${folder}.layers`
  await mkdir(blobs, { recursive: true })
  try {
    const listings: ArchiveIndex[] = []
    for (const [i, layer] of layers.entries()) {
      assertSupportedType(layer, image.descriptor.digest)
      onProgress({ layerCount: layers.length, doneLayerCount: i })
      const path = join(blobs, `${i}`)
      await pipeline(await opened.repository.openBlob(layer, { signal }), createWriteStream(path))
      const input = async () => createReadStream(path)
      const { columns } = await threads
        .run({ kind: 'list', limits }, { input, signal })
        .catch((error: unknown) => {
          throw explainLayerError(layer, error)
        })
      listings.push(new ArchiveIndex(columns))
    }
    const view = new MergedView(listings, new RecordStepBudget())
    const writer = new RootWriter(folder, planRoot(view, listings), limits)
    view.release()
    for (const i of layers.keys()) {
      await writer.writeLayer(i, createReadStream(join(blobs, `${i}`)), signal)
      await rm(join(blobs, `${i}`))
    }
    const { omittedCount } = writer.finish()
    onProgress({ layerCount: layers.length, doneLayerCount: layers.length })
    return {
      pinned: opened.pinned,
      platform: image.platform,
      process: readContainerProcess(image.configBytes, `config ${image.manifest.config.digest}`),
      omittedCount,
    }
  } finally {
    await rm(blobs, { recursive: true, force: true })
  }
}
