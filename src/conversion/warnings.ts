import type { UnreadableNames } from '../estargz/toc/unreadable-names.ts'
import { type ConversionOptions, formatOf } from './request.ts'
import type { ConvertedLayer } from './reuse/converted-layer.ts'

/** What readers see of a layer otherwise than a pull shows it, or cannot do with it. */
export function layerWarnings({
  oddNames,
  noTarSplit,
}: Pick<ConvertedLayer, 'oddNames' | 'noTarSplit'>): string[] {
  const warnings: string[] = []
  if (oddNames && oddNames.entries > 0) warnings.push(oddNamesWarning(oddNames))
  if (noTarSplit !== undefined) {
    warnings.push(
      `containers/storage does not pull the layer in parts, as it would refuse data of tar-split: ${noTarSplit}`,
    )
  }
  return warnings
}

/** Readers that cannot take an image at all (tried with containers/storage 1.59). */
export function imageWarnings(options: ConversionOptions | undefined): string[] {
  const { compression: packing, externalToc, tarSplit } = formatOf(options)
  if (tarSplit || (packing === 'gzip' && !externalToc)) return []
  const remedy =
    packing === 'zstd' ? 'convert it for reader containers-storage, or unset the option' : 'unset the option'
  return [
    `containers/storage (podman, CRI-O) cannot pull the image where insecure_allow_unpredictable_image_contents is set, as it looks for a footer of eStargz in its layers; ${remedy}`,
  ]
}

function oddNamesWarning({ entries, shown }: UnreadableNames): string {
  const what =
    entries === 1
      ? '1 entry has a name or link target that is'
      : `${entries} entries have names or link targets that are`
  const more = entries > shown.length ? ', ...' : ''
  return `${what} no UTF-8; lazy readers see U+FFFD in the place of each such byte: ${shown.join(', ')}${more}`
}
