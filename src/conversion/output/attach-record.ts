import type { Digest } from '../../oci/digest.ts'
import { formatReference } from '../../oci/reference.ts'
import { assertNoGlobs } from '../../records/images/pack-record-image.ts'
import { publishRecordImage } from '../../records/images/publish-record-image.ts'
import { recordDigest } from '../../records/model.ts'
import type { ConversionPlan } from '../conversion-plan.ts'
import type { RecordSelector } from '../record/loaded-record.ts'
import type { AttachedRecord } from '../report.ts'
import type { Image } from '../source/image.ts'
import type { PublishedResult } from './converted-image.ts'
import type { TargetTag } from './target-tag.ts'

/**
 * Asserts, before work begins, that the records can be attached to a result.
 * @throws RecordError RECORD_HAS_GLOBS
 */
export function assertAttachable(images: readonly Image[], recordFor: RecordSelector): void {
  for (const image of images) assertNoGlobs(recordFor(image).entries)
}

/**
 * Publishes the records of a conversion as referrers, without tags: to the whole result if all images have
 * the same record, otherwise to each image.
 * @throws RegistryError; RecordError RECORD_HAS_GLOBS
 */
export async function attachRecords(
  recordFor: RecordSelector,
  { images, tagged }: PublishedResult,
  { source, target, signal }: Pick<ConversionPlan, 'source' | 'target' | 'signal'>,
): Promise<AttachedRecord[]> {
  const { repository } = target
  const imageRecords = images.map(({ image, manifest }) => ({
    ...recordFor(image),
    subject: manifest.descriptor,
  }))
  const [first, ...others] = new Map(
    imageRecords.map((record) => [recordDigest(record.entries), record]),
  ).values()
  const records = first && others.length === 0 ? [{ ...first, subject: tagged }] : imageRecords
  const attached: AttachedRecord[] = []
  for (const { entries, image, workload, createdAt, subject } of records) {
    const { digest } = await publishRecordImage(repository, entries, {
      subject,
      image: image ?? source.pinned,
      workload,
      createdAt,
      signal,
    })
    attached.push({ reference: pinnedReference(repository, digest), subject: subject.digest })
  }
  return attached
}

function pinnedReference({ host, repository }: TargetTag['repository'], digest: Digest): string {
  return formatReference({ host, repository, digest })
}
