import type { NonUtf8Names } from '../estargz/toc/non-utf8-names.ts'
import { blobFormatFor, type ConversionOptions } from './request.ts'
import type { ConvertedLayer } from './reuse/converted-layer.ts'

/** Returns how a lazy reader's view of a layer differs from a pull's, and what readers cannot do with it. */
export function layerWarnings({
  oddNames,
  noTarSplit,
}: Pick<ConvertedLayer, 'oddNames' | 'noTarSplit'>): string[] {
  const warnings: string[] = []
  if (oddNames && oddNames.entries > 0) warnings.push(nonUtf8NamesWarning(oddNames))
  if (noTarSplit !== undefined) {
    warnings.push(
      `containers/storage cannot pull the layer partially, as it would reject tar-split data for it: ${noTarSplit}`,
    )
  }
  return warnings
}

/** Returns which readers cannot pull the image at all (tested with containers/storage 1.59). */
export function imageWarnings(options: ConversionOptions | undefined): string[] {
  const { compression, externalToc, tarSplit } = blobFormatFor(options)
  if (tarSplit || (compression === 'gzip' && !externalToc)) return []
  const remedy =
    compression === 'zstd'
      ? 'convert it for the reader containers-storage, or unset the option'
      : 'unset the option'
  return [
    `containers/storage (podman, CRI-O) cannot pull the image if insecure_allow_unpredictable_image_contents is set, as it expects an eStargz footer in every layer; ${remedy}`,
  ]
}

function nonUtf8NamesWarning({ entries, shown }: NonUtf8Names): string {
  const subject =
    entries === 1
      ? '1 entry has a name or link target that is'
      : `${entries} entries have names or link targets that are`
  const ellipsis = entries > shown.length ? ', ...' : ''
  return `${subject} not valid UTF-8; lazy readers show U+FFFD for each invalid byte: ${shown.join(', ')}${ellipsis}`
}
