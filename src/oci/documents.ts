import { z } from 'zod'
import { Digest } from './digest-schema.ts'
import { isSchema1, schema1Error } from './docker-schema-1.ts'
import { DocumentError } from './document-error.ts'
import { isIndexType, isManifestType } from './media-types.ts'

const Annotations = z.record(z.string(), z.string())

/** A part of a platform's name. The bound keeps reports short, which repeat it often. */
const PlatformPart = z.string().max(100).nullish()

/**
 * OCI image-spec 1.1 "Image Index", `platform` property. The specification requires architecture and
 * operating system. Some tools omit them, and docker then reads them from the config.
 */
export const Platform = z.looseObject({
  architecture: PlatformPart,
  os: PlatformPart,
  variant: PlatformPart,
  'os.version': z.string().nullish(),
  'os.features': z.array(z.string()).nullish(),
})
export type Platform = z.infer<typeof Platform>

/** OCI image-spec 1.1 "Content Descriptors". Unknown properties are kept and written again. */
export const Descriptor = z.looseObject({
  mediaType: z.string(),
  digest: Digest,
  size: z.int().nonnegative(),
  annotations: Annotations.nullish(),
  artifactType: z.string().optional(),
  urls: z.array(z.string()).nullish(),
  platform: Platform.nullish(),
})
export type Descriptor = z.infer<typeof Descriptor>

/**
 * OCI image-spec 1.1 "Image Manifest" and Docker's schema 2. Old OCI manifests may lack `mediaType`; then the
 * registry's Content-Type is the media type.
 */
export const Manifest = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  // Old clients omitted the media type of the config.
  config: Descriptor.extend({
    mediaType: z
      .string()
      .nullish()
      .transform((type) => type ?? ''),
  }),
  layers: z
    .array(Descriptor)
    .nullish()
    .transform((layers) => layers ?? []),
  subject: Descriptor.nullish(),
  annotations: Annotations.nullish(),
})
export type Manifest = z.infer<typeof Manifest>

/** OCI image-spec 1.1 "Image Index" and Docker's manifest list. */
export const Index = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  manifests: z
    .array(Descriptor)
    .nullish()
    .transform((manifests) => manifests ?? []),
  subject: Descriptor.nullish(),
  annotations: Annotations.nullish(),
})
export type Index = z.infer<typeof Index>

/**
 * OCI image-spec 1.1 "Image Configuration": the properties that a conversion reads. Others are kept. Docker
 * requires nothing of `rootfs` but a diffID for each layer.
 */
export const ImageConfig = z.looseObject({
  architecture: PlatformPart,
  os: PlatformPart,
  variant: PlatformPart,
  rootfs: z
    .looseObject({
      type: z.string().nullish(),
      diff_ids: z.array(Digest).nullish(),
    })
    .nullish()
    .transform((rootfs) => ({ ...rootfs, type: rootfs?.type, diff_ids: rootfs?.diff_ids ?? [] })),
  history: z.array(z.looseObject({ empty_layer: z.boolean().nullish() })).nullish(),
})
export type ImageConfig = z.infer<typeof ImageConfig>

/**
 * Parses an OCI document.
 * @param label names the document in errors, for instance "manifest sha256:…"
 * @throws DocumentError INVALID_DOCUMENT
 */
export function parseDocument<Schema extends z.ZodType>(
  schema: Schema,
  bytes: Uint8Array,
  label: string,
): z.output<Schema> {
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (error) {
    throw new DocumentError(`${label} is not JSON: ${(error as Error).message}`)
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new DocumentError(`${label}: ${issue?.path.join('.') || 'document'}: ${issue?.message}`)
}

/**
 * Parses a manifest or an index by its media type, which must equal the `mediaType` inside: a document that
 * can be read as both is the attack of CVE-2021-41190.
 * @param label names the document in errors
 * @throws DocumentError INVALID_DOCUMENT
 */
export function parseManifestOrIndex(
  bytes: Uint8Array,
  mediaType: string,
  label: string,
): { kind: 'manifest'; manifest: Manifest } | { kind: 'index'; index: Index } {
  const isIndex = isIndexType(mediaType)
  if (!isIndex && !isManifestType(mediaType)) {
    if (isSchema1(mediaType, schemaVersionOf(bytes))) throw schema1Error(label)
    throw new DocumentError(
      `${label} has the media type ${JSON.stringify(mediaType)}, which is neither an image manifest nor an index`,
    )
  }
  const document = isIndex ? parseDocument(Index, bytes, label) : parseDocument(Manifest, bytes, label)
  if (document.mediaType !== undefined && document.mediaType !== mediaType) {
    throw new DocumentError(
      `${label} declares the media type ${document.mediaType}, but the registry serves it as ${mediaType}`,
    )
  }
  const isAmbiguous = isIndex ? 'layers' in document || 'config' in document : 'manifests' in document
  if (isAmbiguous) throw new DocumentError(`${label} has both the fields of a manifest and those of an index`)
  if (isIndex) return { kind: 'index', index: document as Index }
  return { kind: 'manifest', manifest: document as Manifest }
}

function schemaVersionOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))?.schemaVersion
  } catch {
    return undefined
  }
}
