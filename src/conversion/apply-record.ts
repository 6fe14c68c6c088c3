import { type RecordUse, recordUse } from '../records/quality.ts'
import { type ResolvedRecord, resolveRecord } from '../records/resolve.ts'
import type { ListingServices } from './list-layers.ts'
import { type Against, type Profiled, readProfiledImage } from './profiled-image.ts'

/** What becomes of a record in an image: all that is left of a root file system, whose memory is given back. */
export type AppliedRecord = Pick<ResolvedRecord, 'fates' | 'prioritized'> & { readonly use: RecordUse }

/**
 * Looks up in an image what a record names, and reports on it.
 * @param options as {@link readProfiledImage} takes them
 */
export async function applyRecord(
  record: Profiled,
  against: Against,
  services: ListingServices,
  options: { readonly scan: boolean; readonly signal: AbortSignal },
): Promise<AppliedRecord> {
  const profiled = await readProfiledImage(record, against, services, options)
  const { image, layers } = against
  const { entries, from } = record
  const resolved = resolveRecord({
    entries,
    layers: layers.map((layer) => layer.entries),
    manifestDigest: image.descriptor.digest,
  })
  const use = recordUse({ entries, layers, resolved, profiled, from })
  resolved.view.release()
  return { use, fates: resolved.fates, prioritized: resolved.prioritized }
}
