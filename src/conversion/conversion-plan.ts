import type { SourceRelation } from './output/provenance-annotations.ts'
import type { TargetTag } from './output/target-tag.ts'
import type { ProgressTracker } from './progress-tracker.ts'
import type { RecordSelector } from './record/loaded-record.ts'
import type { ConversionRequest } from './request.ts'
import type { RequestTally } from './request-bounds.ts'
import type { ConversionServices } from './services.ts'
import type { ImageReader, OpenedReference, SelectedImages } from './source/image-reader.ts'

/** A conversion whose inputs were all read and checked. */
export type ConversionPlan = {
  readonly request: ConversionRequest
  readonly services: ConversionServices
  readonly imageReader: ImageReader
  readonly source: OpenedReference
  readonly images: SelectedImages
  /** Undefined for a conversion without a record. */
  readonly recordFor: RecordSelector | undefined
  readonly target: TargetTag
  /** The tag of the image with the tables of contents, if they are external. */
  readonly tocTarget: TargetTag | undefined
  readonly sourceRelation: SourceRelation
  readonly progress: ProgressTracker
  readonly tally: RequestTally
  readonly signal: AbortSignal
}
