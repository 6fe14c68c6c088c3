import { encodeEntries } from '../../records/encoded-entries.ts'
import type { ReportBudget } from '../../records/resolve/report-budget.ts'
import type { LayerLimits } from '../../tar/layer-limits.ts'
import type { AppliedRecord } from '../layers/apply-task.ts'
import type { ThreadPool } from '../layers/thread-pool.ts'
import type { ImageReader } from '../source/image-reader.ts'
import type { LayerLister } from '../source/layer-lister.ts'
import { InterpreterReader } from './interpreter-reader.ts'
import type { LoadedRecord } from './loaded-record.ts'
import { type ComparisonTarget, ProfiledImageReader } from './profiled-image-reader.ts'

export type RecordApplierOptions = {
  /** Reads the profiled image of a record. */
  readonly images: ImageReader
  readonly layers: LayerLister
  readonly threads: ThreadPool
  readonly limits: LayerLimits
  /** The bound on the steps of applying one record to one image. */
  readonly maxSteps: number
  /** The path names that the report of the request may still contain. */
  readonly reportBudget: ReportBudget
  readonly signal: AbortSignal
}

/**
 * Applies records to images for one request: resolves their paths, and reports how much of a record an image
 * has.
 */
export class RecordApplier {
  readonly #options: RecordApplierOptions
  readonly #profiledImages: ProfiledImageReader

  constructor(options: RecordApplierOptions) {
    this.#options = options
    this.#profiledImages = new ProfiledImageReader(options)
  }

  /**
   * @param options.scan whether to download and decompress layers of the profiled image without a table of
   * contents
   * @param options.returnResolutions whether to return the resolution of each path
   * @param options.interpreters whether to prioritize the files that the kernel opens to run recorded
   * programs, too
   * @throws RecordError GLOBS_TOO_COSTLY, RECORD_TOO_COSTLY
   */
  async apply(
    record: LoadedRecord,
    target: ComparisonTarget,
    options: { readonly scan: boolean; readonly returnResolutions?: boolean; readonly interpreters: boolean },
  ): Promise<AppliedRecord> {
    const { threads, limits, maxSteps, reportBudget, signal } = this.#options
    const { scan, interpreters } = options
    const task = {
      kind: 'apply' as const,
      limits,
      profiled: await this.#profiledImages.read(record, target, { scan, signal }),
      entries: await encodeEntries(record.entries, signal),
      manifestDigest: target.image.descriptor.digest,
      origin: record.origin,
      maxSteps,
      returnResolutions: options.returnResolutions ?? false,
      interpreters,
    }
    const interpreterReader = new InterpreterReader(target)
    for (;;) {
      const applied = await threads.run({ ...task, layers: interpreterReader.layers }, { signal })
      // An interpreter can be a program with an interpreter of its own.
      if (!(await interpreterReader.read(applied.unreadPrograms, signal))) {
        return { ...applied, use: reportBudget.trim(applied.use) }
      }
    }
  }
}
