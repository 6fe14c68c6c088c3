import { encodeEntries } from '../../records/encoded-entries.ts'
import type { AppliedRecord } from '../layers/apply-task.ts'
import type { ListingServices } from '../source/list-layers.ts'
import { type ComparisonTarget, type Profiled, readProfiledImage } from './profiled-image.ts'
import { ProgramHeads } from './program-heads.ts'

/**
 * Looks up in an image what a record names, and reports on it, as far as there is room in the report of the request or job.
 * @param options as {@link readProfiledImage} takes them
 * @throws RecordError GLOBS_TOO_COSTLY, RECORD_TOO_COSTLY; and as {@link readProfiledImage}
 */
export async function applyRecord(
  record: Profiled,
  against: ComparisonTarget,
  services: ListingServices,
  options: {
    readonly scan: boolean
    readonly keepFates?: boolean
    /** Whether what the kernel opens to run recorded programs is placed, too. */
    readonly interpreters: boolean
    readonly signal: AbortSignal
  },
): Promise<AppliedRecord> {
  const { signal, interpreters } = options
  const profiled = await readProfiledImage(record, against, services, options)
  const task = {
    kind: 'apply' as const,
    limits: services.limits,
    entries: await encodeEntries(record.entries, signal),
    manifestDigest: against.image.descriptor.digest,
    profiled,
    from: record.from,
    maxSteps: services.maxRecordSteps,
    keepFates: options.keepFates ?? false,
    interpreters,
  }
  const heads = new ProgramHeads(against)
  for (;;) {
    const applied = await services.threads.run({ ...task, layers: heads.layers }, { signal })
    // What interpreters are may lead to further programs.
    if (!(await heads.read(applied.unread, signal))) {
      return { ...applied, use: services.tally.room.cut(applied.use) }
    }
  }
}
