import { Readable } from 'node:stream'
import { type Digest, isDigest } from '../../oci/digest.ts'
import {
  type Descriptor,
  DocumentError,
  ImageConfig,
  type Manifest,
  parseDocument,
  parseManifestOrIndex,
} from '../../oci/documents.ts'
import { OCI_MANIFEST } from '../../oci/media-types.ts'
import { RegistryError } from '../../registry/errors.ts'
import type { Repository } from '../../registry/repository.ts'
import { RecordError, RecordImageError } from '../errors.ts'
import { readRecord } from '../formats/read.ts'
import type { RecordEntry, RecordLimits } from '../model.ts'
import {
  CREATED_ANNOTATION,
  ENTRIES_ANNOTATION,
  IMAGE_ANNOTATION,
  type PackOptions,
  PROFILER_ANNOTATION,
  PROFILER_VERSION_ANNOTATION,
  packRecordImage,
  WORKLOAD_ANNOTATION,
} from './pack.ts'
import { isRecordOf, type RecordQuery } from './record-tag.ts'
import { notARecordImage, recordFileIn, recordLayerOf } from './unpack.ts'

export type { Repository } from '../../registry/repository.ts'
export { RecordImageError } from '../errors.ts'
export { assertNoGlobs, packRecordImage, RECORD_FILE_NAME } from './pack.ts'
export { defaultRecordTag } from './record-tag.ts'

/** An image that does not say it is a record image is looked into up to this many bytes of its layer. */
const UNKNOWN_LAYER_BYTES = 1024 * 1024
/** What a layer of that size may hold: JSON lines repeat themselves. */
const UNKNOWN_RECORD_BYTES = 32 * 1024 * 1024
const CONFIG_BYTES = 1024 * 1024
/** A registry that answers so has nothing to show us, or may not be asked. */
const REFUSALS: ReadonlySet<string> = new Set(['HOST_NOT_ALLOWED', 'NOT_FOUND', 'UNAUTHORIZED', 'DENIED'])
/** A registry that answers so has not said what it has. */
const SILENCE: ReadonlySet<string> = new Set(['NETWORK', 'UNAVAILABLE'])
/** Tags looked at together while a repository is listed. */
const TAGS_AT_ONCE = 4
/** Tags of the referrers fallback scheme (distribution-spec 1.1), and of signatures that use it. */
const REFERRERS_TAG = /^sha256-[a-f0-9]{64}(\.[a-z]+)?$/

export type RecordImageSummary = {
  readonly tag?: string
  /** Of the manifest; what the tag stands for may be an index of it alone. */
  readonly digest: Digest
  /** Bytes of manifest, config and layer. */
  readonly size: number
  /** When the record was made, as the image says, RFC 3339. */
  readonly created?: string
  /** The profiled image, as the publisher named it. */
  readonly image?: string
  readonly workload?: string
  readonly profiler?: string
  readonly profilerVersion?: string
  /** The digest of the manifest that the record image is a referrer of: the profiled image's, or a converted one's. */
  readonly subject?: Digest
  readonly annotations: Readonly<Record<string, string>>
  /** How many entries the publisher says the record has. */
  readonly entryCount?: number
}

/** A record image with its record. */
export type RecordImage = Omit<RecordImageSummary, 'entryCount'> & { readonly entries: RecordEntry[] }

type Interruptible = { readonly signal?: AbortSignal | undefined }

export type PublishOptions = PackOptions &
  Interruptible & {
    /** Left out: it is put by its digest, and found as a referrer. */
    readonly tag?: string | undefined
    /** Whether a tag that stands for something else is moved; default false. */
    readonly overwrite?: boolean | undefined
  }

/**
 * Publishes a record file image; the tag comes last. Publishing the same again changes nothing.
 * @throws RecordError RECORD_HAS_GLOBS; RecordImageError TAG_EXISTS; RegistryError
 */
export async function publishRecordImage(
  repository: Repository,
  entries: readonly RecordEntry[],
  options: PublishOptions,
): Promise<{ digest: Digest; descriptor: Descriptor }> {
  const { signal } = options
  const packed = await packRecordImage(entries, options)
  const { digest } = packed.manifestDescriptor
  const tag = options.tag ?? digest
  const there = await repository.resolve(tag, { signal })
  if (there !== undefined && there.digest !== digest && !options.overwrite) {
    throw new RecordImageError(
      'TAG_EXISTS',
      `${repository.host}/${repository.repository}:${tag} is ${there.digest} already; choose another tag, or allow to overwrite it`,
    )
  }
  if (there?.digest !== digest) {
    await Promise.all([
      repository.pushBytes(packed.layer.bytes, { signal }),
      repository.pushBytes(packed.config.bytes, { signal }),
    ])
    await repository.putManifest(packed.manifest, OCI_MANIFEST, tag, { signal })
  }
  return { digest, descriptor: packed.manifestDescriptor }
}

/**
 * Reads a record file image of any publisher.
 * @param options `maxBytes` bounds the record file, compressed and not
 * @throws RecordImageError NOT_A_RECORD_IMAGE; RecordError; RegistryError NOT_FOUND
 */
export async function readRecordImage(
  repository: Repository,
  tagOrDigest: string,
  options: Interruptible & RecordLimits,
): Promise<RecordImage> {
  const found = await openManifest(repository, tagOrDigest, options)
  const layer = recordLayerOf(found.manifest)
  if (layer.size > options.maxBytes) {
    throw new RecordError(
      'RECORD_TOO_LARGE',
      `the record layer has ${layer.size} bytes of at most ${options.maxBytes}`,
    )
  }
  const bytes = await repository.blobBytes(layer, { limit: options.maxBytes, signal: options.signal })
  const file = await recordFileIn(bytes, options.maxBytes)
  const { entries } = await readRecord(Readable.from([file]), {
    ...options,
    format: 'stargz-record',
  })
  const { entryCount: _, ...summary } = await summarize(repository, found, layer, options)
  return { ...summary, entries }
}

/**
 * What is known of a record image from its manifest and config; undefined for anything else, also for nothing.
 * An image without our annotations counts when its one layer is small and holds a record file.
 * @throws RegistryError
 */
export async function describeRecordImage(
  repository: Repository,
  tagOrDigest: string,
  options: Interruptible = {},
): Promise<RecordImageSummary | undefined> {
  try {
    const found = await openManifest(repository, tagOrDigest, options)
    const layer = recordLayerOf(found.manifest)
    if (found.manifest.annotations?.[ENTRIES_ANNOTATION] === undefined) {
      if (layer.size > UNKNOWN_LAYER_BYTES) return undefined
      const bytes = await repository.blobBytes(layer, { limit: UNKNOWN_LAYER_BYTES, signal: options.signal })
      await recordFileIn(bytes, UNKNOWN_RECORD_BYTES)
    }
    return await summarize(repository, found, layer, options)
  } catch (error) {
    if (isOtherThanARecordImage(error)) return undefined
    throw error
  }
}

/** Whether a registry said that there is nothing for us, or may not be asked. That it failed to answer says nothing. */
export function isRefusal(error: unknown): boolean {
  return error instanceof RegistryError && REFUSALS.has(error.code)
}

/** Whether a registry refuses to answer, or fails to. */
export function isUnreachable(error: unknown): boolean {
  return isRefusal(error) || (error instanceof RegistryError && SILENCE.has(error.code))
}

/** A tag can go while tags are listed, and a registry holds documents of all kinds. */
function isOtherThanARecordImage(error: unknown): boolean {
  if (error instanceof RegistryError) return error.code === 'NOT_FOUND' || error.code === 'TOO_LARGE'
  return error instanceof RecordImageError || error instanceof RecordError || error instanceof DocumentError
}

/**
 * The record images of a repository, by the code of their tags: asked of the registry each time, so those of other
 * publishers are among them. A repository that does not exist has none.
 * @param options `after`: only tags behind this one
 * @throws RegistryError
 */
export async function* listRecordImages(
  repository: Repository,
  options: Interruptible & RecordQuery & { readonly after?: string | undefined } = {},
): AsyncGenerator<RecordImageSummary & { readonly tag: string }> {
  const looking: Promise<RecordImageSummary | undefined>[] = []
  const next = async () => {
    const found = await looking.shift()
    return found?.tag !== undefined && isRecordOf(found, options) ? [{ ...found, tag: found.tag }] : []
  }
  try {
    const tags: string[] = []
    for await (const tag of repository.tags({ signal: options.signal })) {
      if (!REFERRERS_TAG.test(tag) && tag > (options.after ?? '')) tags.push(tag)
    }
    for (const tag of tags.toSorted()) {
      const look = describeRecordImage(repository, tag, options)
      // It may fail before its turn comes; the failure is met when it does.
      look.catch(() => undefined)
      looking.push(look)
      if (looking.length >= TAGS_AT_ONCE) yield* await next()
    }
    while (looking.length > 0) yield* await next()
  } catch (error) {
    if (!(error instanceof RegistryError && error.code === 'NOT_FOUND')) throw error
  } finally {
    await Promise.allSettled(looking)
  }
}

type FoundManifest = { readonly tag?: string; readonly descriptor: Descriptor; readonly manifest: Manifest }

/** The manifest of a tag or digest; an index leads on when it has one manifest only, as some tools push images. */
async function openManifest(
  repository: Repository,
  tagOrDigest: string,
  options: Interruptible,
): Promise<FoundManifest> {
  const tag = isDigest(tagOrDigest) ? {} : { tag: tagOrDigest }
  const open = async (name: string) => {
    const { descriptor, bytes } = await repository.manifest(name, { signal: options.signal })
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

async function summarize(
  repository: Repository,
  { tag, descriptor, manifest }: FoundManifest,
  layer: Descriptor,
  options: Interruptible,
): Promise<RecordImageSummary> {
  const annotations = manifest.annotations ?? {}
  const created = annotations[CREATED_ANNOTATION] ?? (await createdOf(repository, manifest, options))
  const image = annotations[IMAGE_ANNOTATION]
  const workload = annotations[WORKLOAD_ANNOTATION]
  const profiler = annotations[PROFILER_ANNOTATION]
  const profilerVersion = annotations[PROFILER_VERSION_ANNOTATION]
  const entryCount = annotations[ENTRIES_ANNOTATION]
  return {
    ...(tag !== undefined && { tag }),
    digest: descriptor.digest,
    size: descriptor.size + manifest.config.size + layer.size,
    ...(created !== undefined && { created }),
    ...(image !== undefined && { image }),
    ...(workload !== undefined && { workload }),
    ...(profiler !== undefined && { profiler }),
    ...(profilerVersion !== undefined && { profilerVersion }),
    ...(manifest.subject && { subject: manifest.subject.digest }),
    annotations,
    ...(/^\d{1,9}$/.test(entryCount ?? '') && { entryCount: Number(entryCount) }),
  }
}

/** The time in the image's config. Ours have none, and are not asked. */
async function createdOf(
  repository: Repository,
  { config, annotations }: Manifest,
  options: Interruptible,
): Promise<string | undefined> {
  if (annotations?.[ENTRIES_ANNOTATION] !== undefined || config.size > CONFIG_BYTES) return undefined
  try {
    const bytes = await repository.blobJson(config, { limit: CONFIG_BYTES, signal: options.signal })
    const { created } = parseDocument(ImageConfig, bytes, `config ${config.digest}`)
    return typeof created === 'string' ? created : undefined
  } catch (error) {
    // Artifacts may have a config of any kind, such as {}.
    if (error instanceof DocumentError) return undefined
    throw error
  }
}
