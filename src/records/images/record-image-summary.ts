import { type Digest, isDigest } from '../../oci/digest.ts'
import { DocumentError } from '../../oci/document-error.ts'
import {
  type Descriptor,
  ImageConfig,
  type Manifest,
  parseDocument,
  parseManifestOrIndex,
} from '../../oci/documents.ts'
import type { Abortable, Repository } from '../../registry/repository.ts'
import {
  CREATED_ANNOTATION,
  ENTRIES_ANNOTATION,
  IMAGE_ANNOTATION,
  PROFILER_ANNOTATION,
  PROFILER_VERSION_ANNOTATION,
  WORKLOAD_ANNOTATION,
} from './pack-record-image.ts'
import { notARecordImage } from './unpack-record-layer.ts'

const MAX_CONFIG_BYTES = 1024 * 1024

/** The parts of a repository that describe its manifests. */
export type ManifestSource = Pick<Repository, 'getManifest' | 'readBlob' | 'readJsonBlob'>

/** The description of a record image, from its manifest and config. */
export type RecordImageSummary = {
  readonly tag?: string
  /** The digest of the manifest. The tag may name an index with this manifest only. */
  readonly digest: Digest
  /** The size of manifest, config and layer in bytes. */
  readonly size: number
  /** When the record was created according to the image, RFC 3339. */
  readonly createdAt?: string
  /** The profiled image, as named by the publisher. */
  readonly image?: string
  readonly workload?: string
  readonly profiler?: string
  readonly profilerVersion?: string
  /**
   * The digest of the manifest that the record image refers to: that of the profiled image, or of a converted
   * one.
   */
  readonly subject?: Digest
  readonly annotations: Readonly<Record<string, string>>
  /** The number of entries according to the publisher. */
  readonly entryCount?: number
}

/** A manifest that may be that of a record image. */
export type OpenedManifest = {
  readonly tag?: string
  readonly descriptor: Descriptor
  readonly manifest: Manifest
}

/**
 * Opens the manifest of a tag or digest. Some tools push an image as an index with a single manifest, which
 * is followed.
 * @throws RecordImageError NOT_A_RECORD_IMAGE for any other index; DocumentError; RegistryError
 */
export async function openManifest(
  repository: ManifestSource,
  tagOrDigest: string,
  { signal }: Abortable,
): Promise<OpenedManifest> {
  const tag = isDigest(tagOrDigest) ? {} : { tag: tagOrDigest }
  const open = async (name: string) => {
    const { descriptor, bytes } = await repository.getManifest(name, { signal })
    return {
      descriptor,
      ...parseManifestOrIndex(bytes, descriptor.mediaType, `manifest ${descriptor.digest}`),
    }
  }
  const first = await open(tagOrDigest)
  if (first.kind === 'manifest') return { ...tag, descriptor: first.descriptor, manifest: first.manifest }
  const [only, ...others] = first.index.manifests
  if (only === undefined || others.length > 0) {
    throw notARecordImage(`it is an index of ${first.index.manifests.length} manifests`)
  }
  const second = await open(only.digest)
  if (second.kind === 'index') throw notARecordImage('it is an index of an index')
  return { ...tag, descriptor: second.descriptor, manifest: second.manifest }
}

/** @throws RegistryError if the config is needed and cannot be read */
export async function summarizeRecordImage(
  repository: ManifestSource,
  { tag, descriptor, manifest }: OpenedManifest,
  layer: Descriptor,
  options: Abortable,
): Promise<RecordImageSummary> {
  const annotations = manifest.annotations ?? {}
  const createdAt = annotations[CREATED_ANNOTATION] ?? (await readCreated(repository, manifest, options))
  const image = annotations[IMAGE_ANNOTATION]
  const workload = annotations[WORKLOAD_ANNOTATION]
  const profiler = annotations[PROFILER_ANNOTATION]
  const profilerVersion = annotations[PROFILER_VERSION_ANNOTATION]
  const entryCount = annotations[ENTRIES_ANNOTATION]
  return {
    ...(tag !== undefined && { tag }),
    digest: descriptor.digest,
    // Nobody has checked the sizes: a sum that is too large to be exact would be refused as a response.
    size: Math.min(Number.MAX_SAFE_INTEGER, descriptor.size + manifest.config.size + layer.size),
    ...(createdAt !== undefined && { createdAt }),
    ...(image !== undefined && { image }),
    ...(workload !== undefined && { workload }),
    ...(profiler !== undefined && { profiler }),
    ...(profilerVersion !== undefined && { profilerVersion }),
    ...(manifest.subject && { subject: manifest.subject.digest }),
    annotations,
    ...(/^\d{1,9}$/.test(entryCount ?? '') && { entryCount: Number(entryCount) }),
  }
}

/** Reads the creation time from the config. The configs of our own images have none and are not read. */
async function readCreated(
  repository: ManifestSource,
  { config, annotations }: Manifest,
  { signal }: Abortable,
): Promise<string | undefined> {
  if (annotations?.[ENTRIES_ANNOTATION] !== undefined || config.size > MAX_CONFIG_BYTES) return undefined
  try {
    const bytes = await repository.readJsonBlob(config, { limit: MAX_CONFIG_BYTES, signal })
    const { created } = parseDocument(ImageConfig, bytes, `config ${config.digest}`)
    return typeof created === 'string' ? created : undefined
  } catch (error) {
    // An artifact may have any config, such as {}.
    if (error instanceof DocumentError) return undefined
    throw error
  }
}

/** When a record image was created, in milliseconds since 1970; 0 if it is unknown. */
export function createdTime({ createdAt }: Pick<RecordImageSummary, 'createdAt'>): number {
  const time = Date.parse(createdAt ?? '')
  return Number.isNaN(time) ? 0 : time
}
