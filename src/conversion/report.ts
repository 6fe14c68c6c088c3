import { z } from 'zod'
import { Digest } from '../oci/digest-schema.ts'
import { RecordUse } from '../records/resolve/record-use.ts'

const Bytes = z.int().nonnegative()
const Landmark = z.enum(['prefetch', 'no-prefetch'])
const PlatformName = z.string().describe('os/architecture[/variant]')

/** The progress of one layer. */
export const LayerProgress = z
  .object({
    digest: Digest.describe('The digest of the source layer.'),
    platform: PlatformName,
    state: z.enum(['waiting', 'converting', 'converted', 'uploading', 'done']),
    size: Bytes.describe('The size of the source layer in bytes.'),
    read: Bytes.describe('The bytes of the source layer read so far.'),
    written: Bytes.describe('The bytes of the converted layer written so far.'),
    uploaded: Bytes.optional().describe(
      'The bytes of the converted layer that were sent to the registry so far. Older workers do not report them.',
    ),
  })
  .meta({ id: 'LayerProgress', description: 'The progress of the conversion of one layer.' })
export type LayerProgress = z.infer<typeof LayerProgress>

/** The progress of a conversion. */
export const ConversionProgress = z
  .object({
    phase: z.enum(['resolving', 'converting', 'pushing']),
    layers: z.array(LayerProgress),
  })
  .meta({ id: 'ConversionProgress', description: 'The progress of a running conversion.' })
export type ConversionProgress = z.infer<typeof ConversionProgress>

/** The result of the conversion of one layer. */
export const LayerReport = z
  .object({
    action: z
      .enum(['streamed', 'arranged', 'rearranged', 'reused', 'duplicate'])
      .describe(
        'streamed: converted in the order of the source, without scratch disk; arranged: converted with the prioritized files first; rearranged: arranged from a layer that was converted before; reused: the layer of an earlier conversion, unchanged; duplicate: the image has this layer twice, and it was converted once.',
      ),
    source: z.object({ digest: Digest, size: Bytes, mediaType: z.string() }),
    digest: Digest,
    size: Bytes.describe('The size of the converted layer in bytes.'),
    diffId: Digest,
    uncompressedSize: Bytes,
    tocDigest: Digest,
    entryCount: z.int().nonnegative(),
    landmark: Landmark.optional(),
    prioritizedFileCount: z
      .int()
      .nonnegative()
      .describe('The number of entries that the record placed before the landmark.'),
    prefetchBytes: Bytes.describe('The compressed bytes before the landmark, which a reader prefetches.'),
    compression: z
      .object({
        method: z.enum(['transcode', 'refine', 'recompress']),
        reason: z.string(),
        library: z
          .string()
          .optional()
          .describe(
            'The library that recompressed the content, with its version: another version may make other bytes.',
          ),
      })
      .describe("How the layer's content was compressed, and why."),
    warnings: z
      .array(z.string())
      .optional()
      .describe(
        'How the view of a lazy reader differs from that of a pull, and what readers cannot do with the layer; omitted if empty.',
      ),
  })
  .meta({ id: 'LayerReport', description: 'The result of the conversion of one layer.' })
export type LayerReport = z.infer<typeof LayerReport>

/** The result of the conversion of one image, that is, of one platform. */
export const ImageReport = z
  .object({
    platform: PlatformName,
    source: Digest.describe('The digest of the source manifest.'),
    digest: Digest.describe('The digest of the converted manifest.'),
    record: RecordUse.optional(),
    layers: z.array(LayerReport),
    warnings: z
      .array(z.string())
      .optional()
      .describe('Readers that cannot pull the image, and the remedy; omitted if empty.'),
  })
  .meta({ id: 'ImageReport', description: 'The result of the conversion of one image of the source.' })
export type ImageReport = z.infer<typeof ImageReport>

/** A manifest of an index that is not converted. */
export const ManifestNote = z.object({ digest: Digest, reason: z.string() }).meta({
  id: 'ManifestNote',
  description: 'A manifest of an index, and why it is dropped, kept unchanged or not an image.',
})
export type ManifestNote = z.infer<typeof ManifestNote>

/** Fields and annotations that a result lacks because they describe bytes that the conversion replaced. */
export const RemovedFields = z
  .object({
    digest: Digest.describe(
      'The digest of the index, manifest, config or layer of the source that the names were removed from.',
    ),
    names: z.array(z.string()).describe('The removed names: `data`, `urls` and keys of annotations.'),
  })
  .meta({
    id: 'RemovedFields',
    description:
      'Fields and annotations that were removed because they describe bytes that the conversion replaced.',
  })
export type RemovedFields = z.infer<typeof RemovedFields>

/** A record that was published as a referrer of a converted image. */
export const AttachedRecord = z
  .object({
    reference: z.string(),
    subject: Digest.describe('The digest of the converted manifest or index.'),
  })
  .meta({
    id: 'AttachedRecord',
    description: 'A record image that was published as a referrer of the converted image.',
  })
export type AttachedRecord = z.infer<typeof AttachedRecord>

/** The result of a conversion. */
export const ConversionReport = z
  .object({
    source: z.string().describe('The source reference with its digest.'),
    target: z.string(),
    reused: z
      .boolean()
      .optional()
      .describe(
        'true: the result of an identical earlier conversion was still in the registry, so that only tags were moved; the details of layers and record are those of the earlier conversion.',
      ),
    digest: Digest.describe('The digest that the target tag points to now.'),
    mediaType: z.string(),
    size: Bytes.describe('The total size of the converted layers in bytes.'),
    sourceSize: Bytes.describe('The total size of the source layers in bytes.'),
    images: z.array(ImageReport),
    tocImage: z
      .object({ reference: z.string(), digest: Digest })
      .optional()
      .describe('The image with the external tables of contents of the layers.'),
    attached: z.array(AttachedRecord).optional().describe('The records that were attached to the result.'),
    dropped: z.array(ManifestNote).describe('The manifests of the source index that the result lacks.'),
    kept: z
      .array(ManifestNote)
      .describe('The manifests of the source index that the result contains unchanged.'),
    removed: z
      .array(RemovedFields)
      .optional()
      .describe(
        'Fields and annotations that were removed because they describe bytes that the conversion replaced.',
      ),
    subject: Digest.optional().describe('The digest of the source, if the result names it as its subject.'),
    durationMs: z.int().nonnegative(),
  })
  .meta({ id: 'ConversionReport', description: 'The result of a conversion.' })
export type ConversionReport = z.infer<typeof ConversionReport>

/** The result of the verification of one layer. */
export const VerifiedLayer = z
  .object({
    digest: Digest,
    size: Bytes,
    tocDigest: Digest.optional(),
    diffId: Digest.optional(),
    entryCount: z.int().nonnegative().optional(),
    chunkCount: z.int().nonnegative().optional().describe('The number of chunks whose digests were checked.'),
    landmark: Landmark.optional(),
    prioritizedFileCount: z.int().nonnegative().optional(),
    problem: z.string().optional().describe('The problem of the layer; omitted if there is none.'),
  })
  .meta({ id: 'VerifiedLayer', description: 'The result of the verification of one layer.' })
export type VerifiedLayer = z.infer<typeof VerifiedLayer>

/** The result of a verification. */
export const VerificationReport = z
  .object({
    reference: z.string().describe('The reference of the verified image with its digest.'),
    verified: z.boolean().describe('Whether all checks succeeded.'),
    images: z.array(
      z.object({
        platform: PlatformName,
        digest: Digest,
        layers: z.array(VerifiedLayer),
        differences: z
          .array(z.string())
          .optional()
          .describe(
            'The differences between the view of a lazy reader and that of a pull of the source, if a source was given; empty if there are none.',
          ),
      }),
    ),
    durationMs: z.int().nonnegative(),
  })
  .meta({ id: 'VerificationReport', description: 'The result of a verification.' })
export type VerificationReport = z.infer<typeof VerificationReport>

/** The progress of a verification. */
export const VerificationProgress = z
  .object({
    layerCount: z.int().nonnegative(),
    doneLayerCount: z.int().nonnegative(),
    totalBytes: Bytes.optional().describe('The size of the layers that are read, in bytes.'),
    readBytes: Bytes.optional().describe('The bytes of these layers that were read so far.'),
  })
  .meta({ id: 'VerificationProgress', description: 'The progress of a running verification.' })
export type VerificationProgress = z.infer<typeof VerificationProgress>

/** The progress of a job without its layers, whose number is that of the image. */
export const ProgressSummary = z
  .object({
    phase: ConversionProgress.shape.phase.optional().describe('The phase of a conversion.'),
    layerCount: z.int().nonnegative(),
    doneLayerCount: z.int().nonnegative(),
    totalBytes: Bytes.optional().describe('The size of the layers that are read, in bytes.'),
    readBytes: Bytes.optional().describe('The bytes of these layers that were read so far.'),
    writtenBytes: Bytes.optional().describe('The bytes of converted layers that were written so far.'),
  })
  .meta({
    id: 'ProgressSummary',
    description: 'The progress of a running job without its layers.',
    examples: [
      {
        phase: 'converting',
        layerCount: 5,
        doneLayerCount: 2,
        totalBytes: 81_920_000,
        readBytes: 40_960_000,
        writtenBytes: 41_000_000,
      },
    ],
  })
export type ProgressSummary = z.infer<typeof ProgressSummary>

/** The properties of one layer according to its footer and table of contents. */
export const LayerInspection = z
  .object({
    digest: Digest,
    size: Bytes,
    mediaType: z.string(),
    estargz: z
      .boolean()
      .describe('Whether the layer can be read lazily, that is, is eStargz or zstd:chunked.'),
    format: z.enum(['estargz', 'zstd-chunked']).optional(),
    externalToc: z
      .boolean()
      .optional()
      .describe('Whether the table of contents is stored in an image of its own.'),
    tocDigest: Digest.optional(),
    tocDigestAnnotated: z
      .boolean()
      .optional()
      .describe(
        'Whether the manifest has this digest in an annotation, as readers that verify layers require.',
      ),
    entryCount: z.int().nonnegative().optional(),
    landmark: Landmark.optional(),
    prefetchBytes: Bytes.optional(),
    prioritizedFiles: z.array(z.string()).optional().describe('The prioritized files in their order.'),
    problem: z.string().optional().describe('Why a layer that is marked as eStargz cannot be read as such.'),
  })
  .meta({
    id: 'LayerInspection',
    description: 'The properties of a layer according to its footer and table of contents.',
  })
export type LayerInspection = z.infer<typeof LayerInspection>

/** The properties of an image that are known without reading its layers. */
export const ImageInspection = z
  .object({
    reference: z.string().describe('The reference of the image with its digest.'),
    digest: Digest,
    mediaType: z.string(),
    images: z.array(
      z.object({
        platform: PlatformName,
        digest: Digest,
        size: Bytes.describe('The total size of the layers in bytes.'),
        layers: z.array(LayerInspection),
      }),
    ),
    others: z.array(ManifestNote).describe('The manifests of the index that are not images.'),
  })
  .meta({
    id: 'ImageInspection',
    description: 'The properties of an image that are known without reading its layers.',
  })
export type ImageInspection = z.infer<typeof ImageInspection>
