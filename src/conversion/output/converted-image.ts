import type { Digest } from '../../oci/digest.ts'
import type { Descriptor } from '../../oci/documents.ts'
import type { ConversionReport, ImageReport } from '../report.ts'
import type { ConvertedLayer } from '../reuse/converted-layer.ts'
import type { Image } from '../source/image.ts'
import type { AssembledImage, SerializedDocument } from './assemble-image.ts'

/** A converted image whose layers are in the target repository. */
export type ConvertedImage = AssembledImage & {
  /** The image of the source. */
  readonly image: Image
  readonly layers: readonly ConvertedLayer[]
  /** The digest of the record that the image was converted with. */
  readonly recordDigest: Digest | undefined
  readonly report: ImageReport
}

/** The result of a conversion after its tags were moved. */
export type PublishedResult = {
  readonly report: Omit<ConversionReport, 'attached' | 'durationMs'>
  /** The manifest or index that the target tag points to. */
  readonly tagged: Descriptor
  readonly images: readonly { readonly image: Image; readonly manifest: SerializedDocument }[]
}
