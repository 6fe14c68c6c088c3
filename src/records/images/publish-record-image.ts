import type { Digest } from '../../oci/digest.ts'
import { type Descriptor, Manifest, parseDocument } from '../../oci/documents.ts'
import { OCI_MANIFEST } from '../../oci/media-types.ts'
import type { Abortable, Repository } from '../../registry/repository.ts'
import { RecordImageError } from '../errors.ts'
import type { RecordEntry } from '../model.ts'
import { type PackOptions, packRecordImage } from './pack-record-image.ts'
import { type RecordImageSummary, summarizeRecordImage } from './record-image-summary.ts'

export type PublishOptions = PackOptions &
  Abortable & {
    /** If omitted, the image is pushed by digest, to be found as a referrer. */
    readonly tag?: string | undefined
    /** Whether to move a tag that names another image; default: false. */
    readonly overwrite?: boolean | undefined
  }

/**
 * Publishes a record file image, the tag last. Publishing the same image again changes nothing.
 * @throws RecordError RECORD_HAS_GLOBS; RecordImageError TAG_EXISTS; RegistryError
 */
export async function publishRecordImage(
  repository: Repository,
  entries: readonly RecordEntry[],
  options: PublishOptions,
): Promise<{ digest: Digest; descriptor: Descriptor; summary: RecordImageSummary }> {
  const { signal } = options
  const { manifest, manifestDescriptor, layer, config } = await packRecordImage(entries, options)
  const { digest } = manifestDescriptor
  const tagOrDigest = options.tag ?? digest
  const existing = await repository.resolve(tagOrDigest, { signal })
  if (existing !== undefined && existing.digest !== digest && !options.overwrite) {
    throw new RecordImageError(
      'TAG_EXISTS',
      `${repository.host}/${repository.repository}:${tagOrDigest} already points to ${existing.digest}; choose another tag, or publish the record with "overwrite": true`,
    )
  }
  if (existing?.digest !== digest) {
    await Promise.all([
      repository.pushBytes(layer.bytes, { signal }),
      repository.pushBytes(config.bytes, { signal }),
    ])
    await repository.putManifest(manifest, OCI_MANIFEST, tagOrDigest, { signal })
  }
  const parsed = parseDocument(Manifest, manifest, 'the record image')
  const opened = {
    ...(options.tag !== undefined && { tag: options.tag }),
    descriptor: manifestDescriptor,
    manifest: parsed,
  }
  const summary = await summarizeRecordImage(repository, opened, layer.descriptor, options)
  return { digest, descriptor: manifestDescriptor, summary }
}
