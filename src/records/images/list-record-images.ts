import { DocumentError } from '../../oci/document-error.ts'
import { RegistryError } from '../../registry/errors.ts'
import type { Abortable, Repository } from '../../registry/repository.ts'
import { RecordError, RecordImageError } from '../errors.ts'
import { ENTRIES_ANNOTATION } from './pack-record-image.ts'
import {
  type ManifestSource,
  type OpenedManifest,
  openManifest,
  type RecordImageSummary,
  summarizeRecordImage,
} from './record-image-summary.ts'
import { extractRecordFile, recordLayerOf } from './unpack-record-layer.ts'

/** The largest layer that is read to find out whether an image without our annotations is a record image. */
const MAX_PROBED_LAYER_BYTES = 1024 * 1024
/** The largest record file in such a layer; JSON lines compress well. */
const MAX_PROBED_RECORD_BYTES = 32 * 1024 * 1024
const CONCURRENT_TAGS = 4
/** Tags of the referrers fallback scheme (distribution-spec 1.1), and of signatures that use it. */
export const REFERRERS_TAG = /^sha256-[a-f0-9]{64}(\.[a-z]+)?$/

/**
 * Describes a record image from its manifest and config; undefined if there is no image, or it is not a
 * record image. An image without our annotations is a record image if its only layer is small and contains a
 * record file.
 * @throws RegistryError
 */
export async function describeRecordImage(
  repository: ManifestSource,
  tagOrDigest: string,
  options: Abortable = {},
): Promise<RecordImageSummary | undefined> {
  try {
    return await describeRecordManifest(
      repository,
      await openManifest(repository, tagOrDigest, options),
      options,
    )
  } catch (error) {
    if (provesOtherImage(error)) return undefined
    throw error
  }
}

/**
 * Describes a manifest as {@link describeRecordImage} does.
 * @throws RegistryError
 */
export async function describeRecordManifest(
  repository: ManifestSource,
  opened: OpenedManifest,
  options: Abortable = {},
): Promise<RecordImageSummary | undefined> {
  try {
    const layer = recordLayerOf(opened.manifest)
    if (opened.manifest.annotations?.[ENTRIES_ANNOTATION] === undefined) {
      if (layer.size > MAX_PROBED_LAYER_BYTES) return undefined
      const limit = MAX_PROBED_LAYER_BYTES
      const bytes = await repository.readBlob(layer, { limit, signal: options.signal })
      await extractRecordFile(bytes, MAX_PROBED_RECORD_BYTES)
    }
    return await summarizeRecordImage(repository, opened, layer, options)
  } catch (error) {
    if (provesOtherImage(error)) return undefined
    throw error
  }
}

/** Registries contain documents of all kinds, and a tag can be deleted while tags are listed. */
function provesOtherImage(error: unknown): boolean {
  if (error instanceof RegistryError) return error.code === 'NOT_FOUND' || error.code === 'TOO_LARGE'
  return error instanceof RecordImageError || error instanceof RecordError || error instanceof DocumentError
}

/**
 * Lists the record images of a repository, sorted by the code units of their tags, including those of other
 * publishers. They are read from the registry each time. A repository that does not exist has none.
 * @throws RegistryError
 */
export async function* listRecordImages(
  repository: Repository,
  options: Abortable = {},
): AsyncGenerator<RecordImageSummary & { readonly tag: string }> {
  const pending: Promise<RecordImageSummary | undefined>[] = []
  const nextMatch = async () => {
    const summary = await pending.shift()
    const { tag } = summary ?? {}
    return summary && tag !== undefined ? [{ ...summary, tag }] : []
  }
  try {
    const tags: string[] = []
    for await (const tag of repository.listTags({ signal: options.signal })) {
      if (!REFERRERS_TAG.test(tag)) tags.push(tag)
    }
    for (const tag of tags.toSorted()) {
      const description = describeRecordImage(repository, tag, options)
      // It may fail before it is awaited; this prevents an unhandled rejection.
      description.catch(() => undefined)
      pending.push(description)
      if (pending.length >= CONCURRENT_TAGS) yield* await nextMatch()
    }
    while (pending.length > 0) yield* await nextMatch()
  } catch (error) {
    if (!(error instanceof RegistryError && error.code === 'NOT_FOUND')) throw error
  } finally {
    await Promise.allSettled(pending)
  }
}
