import type { Descriptor } from '../../oci/documents.ts'
import type { Document } from '../output/assemble-image.ts'
import type { TagPlacement } from '../output/conversion-annotations.ts'
import type { Target } from '../output/target.ts'
import type { Progress } from '../progress.ts'
import type { RecordFor } from '../record/profiled-image.ts'
import type { ConversionReport } from '../report.ts'
import type { ConversionRequest } from '../request.ts'
import type { RequestTally } from '../request-bounds.ts'
import type { ConversionServices } from '../services.ts'
import type { Image, Images, OpenedReference } from '../source/images.ts'

/** A conversion of which all is known that its result depends on. */
export type Conversion = {
  readonly request: ConversionRequest
  readonly services: ConversionServices
  readonly opened: OpenedReference
  readonly found: Images
  readonly recordOf: RecordFor | undefined
  readonly target: Target
  /** Of the tables of contents, where they go into an image of their own. */
  readonly tocTarget: Target | undefined
  /** What of its place the result depends on. */
  readonly how: TagPlacement
  readonly progress: Progress
  readonly tally: RequestTally
  readonly signal: AbortSignal
}

/** What a conversion came to; its tags have moved. */
export type ConversionOutcome = {
  readonly report: Omit<ConversionReport, 'attached' | 'durationMs'>
  /** What the target tag stands for. */
  readonly final: Descriptor
  readonly converted: readonly { readonly image: Image; readonly manifest: Document }[]
}
