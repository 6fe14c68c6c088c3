import { type EvaluationServices, evaluateRecord } from '../conversion/evaluate.ts'
import { isDigest } from '../oci/digest.ts'
import type { FoundInImage } from '../records/evaluation.ts'
import type { RecordEntry } from '../records/model.ts'

/** How long an upload waits for the check. */
const TIMEOUT_MS = 10_000
const NOT_FOUND_WARNING =
  'the image has none of the recorded paths: the record may belong to another image, or its paths to another root (root=)'

/** Reports an error that is a defect of the broker but does not fail the request. */
export type DefectListener = (error: unknown, message: string) => void

/**
 * Checks how many paths of an uploaded record exist in the image that the uploader names as the profiled one.
 */
export class ProfiledImageCheck {
  readonly #services: EvaluationServices
  readonly #onDefect: DefectListener | undefined

  constructor(services: EvaluationServices, onDefect: DefectListener | undefined) {
    this.#services = services
    this.#onDefect = onDefect
  }

  /** The record is stored already, so a problem with the image is returned, and not thrown. */
  async check(
    record: { readonly entries: readonly RecordEntry[]; readonly image: string },
    signal: AbortSignal,
  ): Promise<FoundInImage> {
    if (isDigest(record.image)) {
      return { unknown: 'the image is named only by its digest, without a registry' }
    }
    const timeout = AbortSignal.timeout(TIMEOUT_MS)
    try {
      return await this.#evaluate(record, AbortSignal.any([signal, timeout]))
    } catch (error) {
      if (timeout.aborted) {
        return { unknown: `reading the image takes more than ${TIMEOUT_MS / 1000} s; request an evaluation` }
      }
      const { code, message } = error as { code?: unknown; message: string }
      if (typeof code === 'string') return { unknown: `${code}: ${message}` }
      this.#onDefect?.(error, 'could not check the image of an uploaded record')
      return { unknown: 'an internal error occurred; see the log of the broker' }
    }
  }

  async #evaluate(
    record: { readonly entries: readonly RecordEntry[]; readonly image: string },
    signal: AbortSignal,
  ): Promise<FoundInImage> {
    const request = { image: record.image, interpreters: false }
    const { image, images } = await evaluateRecord(record, request, this.#services, signal)
    const platforms = images.map(({ platform, record: { pathCount, placedCount } }) => ({
      platform,
      pathCount,
      foundCount: placedCount,
    }))
    const hasNone = platforms.every(({ foundCount }) => foundCount === 0)
    return { image, platforms, ...(hasNone && { warning: NOT_FOUND_WARNING }) }
  }
}
