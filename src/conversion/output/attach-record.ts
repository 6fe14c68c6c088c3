import type { Digest } from '../../oci/digest.ts'
import type { Descriptor } from '../../oci/documents.ts'
import { formatReference } from '../../oci/reference.ts'
import { assertNoGlobs, publishRecordImage } from '../../records/images/record-image.ts'
import { recordDigest } from '../../records/model.ts'
import type { RecordFor } from '../record/profiled-image.ts'
import type { AttachedRecord } from '../report.ts'
import type { Image, OpenedReference } from '../source/images.ts'
import type { Document } from './assemble-image.ts'
import type { Target } from './target.ts'

type Converted = { readonly image: Image; readonly manifest: Document }

/** Fails before work is done for a record that could not be attached. @throws RecordError RECORD_HAS_GLOBS */
export function checkAttachable(images: readonly Image[], recordOf: RecordFor): void {
  for (const image of images) assertNoGlobs(recordOf(image).entries)
}

/**
 * Publishes the record of a conversion as a referrer of its result, without a tag: the whole result where all images
 * had the same record, else each image.
 * @param final what the target tag stands for
 * @throws RegistryError; RecordError RECORD_HAS_GLOBS
 */
export async function attachRecord(
  converted: readonly Converted[],
  final: Descriptor,
  recordOf: RecordFor,
  its: { readonly opened: OpenedReference; readonly target: Target; readonly signal: AbortSignal },
): Promise<AttachedRecord[]> {
  const { repository } = its.target
  const records = converted.map(({ image, manifest }) => ({
    ...recordOf(image),
    subject: manifest.descriptor,
  }))
  const [first, ...others] = new Map(records.map((record) => [recordDigest(record.entries), record])).values()
  const attached = first && others.length === 0 ? [{ ...first, subject: final }] : records
  const made: AttachedRecord[] = []
  for (const { entries, image, workload, created, subject } of attached) {
    const { digest } = await publishRecordImage(repository, entries, {
      subject,
      image: image ?? its.opened.pinned,
      workload,
      created,
      signal: its.signal,
    })
    made.push({ reference: referenceOf(repository, digest), subject: subject.digest })
  }
  return made
}

function referenceOf({ host, repository }: Target['repository'], digest: Digest): string {
  return formatReference({ host, repository, digest })
}
