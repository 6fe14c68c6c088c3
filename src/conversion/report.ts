import { z } from 'zod'
import { Digest } from '../oci/digest-schema.ts'
import { RecordUse } from '../records/resolve/record-use.ts'

const Bytes = z.int().nonnegative()
const Landmark = z.enum(['prefetch', 'no-prefetch'])
const PlatformName = z.string().describe('os/architecture[/variant]')

/** How far one layer is. */
export const LayerProgress = z
  .object({
    digest: Digest.describe('Of the source layer.'),
    platform: PlatformName,
    state: z.enum(['waiting', 'converting', 'converted', 'uploading', 'done']),
    size: Bytes.describe('Of the source layer, in bytes.'),
    read: Bytes.describe('Bytes of the source layer read so far.'),
    written: Bytes.describe('Bytes of the converted layer made so far.'),
  })
  .meta({ id: 'LayerProgress', description: 'How far the conversion of one layer is.' })
export type LayerProgress = z.infer<typeof LayerProgress>

/** How far a conversion is. */
export const ConversionProgress = z
  .object({
    phase: z.enum(['resolving', 'converting', 'pushing']),
    layers: z.array(LayerProgress),
  })
  .meta({ id: 'ConversionProgress', description: 'How far a running conversion is.' })
export type ConversionProgress = z.infer<typeof ConversionProgress>

/** What became of one layer. */
export const LayerReport = z
  .object({
    action: z
      .enum(['streamed', 'arranged', 'rearranged', 'reused', 'same-as-other'])
      .describe(
        'streamed: in the order of the source, without scratch disk; arranged: prioritized files first; rearranged: the same, out of a layer that was converted before; reused: converted before, nothing was done; same-as-other: the image has this layer twice, the work was done once.',
      ),
    source: z.object({ digest: Digest, size: Bytes, mediaType: z.string() }),
    digest: Digest,
    size: Bytes.describe('Of the converted layer, in bytes.'),
    diffId: Digest,
    uncompressedSize: Bytes,
    tocDigest: Digest,
    entries: z.int().nonnegative(),
    landmark: Landmark.optional(),
    prioritizedFiles: z.int().nonnegative().describe('Entries placed before the landmark by the record.'),
    prefetchBytes: Bytes.describe('Bytes before the landmark, which a reader fetches first.'),
    compression: z
      .object({ method: z.enum(['transcode', 'refine', 'recompress']), reason: z.string() })
      .describe("How the layer's content was compressed, and why."),
    warnings: z
      .array(z.string())
      .optional()
      .describe(
        'What readers see otherwise than an ordinary pull shows it, or cannot do; left out where there is nothing.',
      ),
  })
  .meta({ id: 'LayerReport', description: 'What became of one layer.' })
export type LayerReport = z.infer<typeof LayerReport>

/** What became of one image, that is of one platform. */
export const ImageReport = z
  .object({
    platform: PlatformName,
    source: Digest.describe('Of the source manifest.'),
    digest: Digest.describe('Of the converted manifest.'),
    record: RecordUse.optional(),
    layers: z.array(LayerReport),
    warnings: z
      .array(z.string())
      .optional()
      .describe('Which readers cannot take the image, and what helps; left out where there are none.'),
  })
  .meta({ id: 'ImageReport', description: 'What became of one image of the source.' })
export type ImageReport = z.infer<typeof ImageReport>

/** A manifest of the source index that the target does not have, or has unchanged. */
export const ManifestNote = z.object({ digest: Digest, reason: z.string() }).meta({
  id: 'ManifestNote',
  description: 'A manifest of an index, and why it is left out or kept as it is.',
})
export type ManifestNote = z.infer<typeof ManifestNote>

/** What a manifest, index or descriptor no longer says, because it speaks of bytes that are gone. */
export const RemovedNote = z
  .object({
    digest: Digest.describe(
      'Of what was described: an index, a manifest, a config or a layer of the source.',
    ),
    names: z.array(z.string()).describe('`data`, `urls`, and keys of annotations.'),
  })
  .meta({ id: 'RemovedNote', description: 'What the result no longer says of something in the source.' })
export type RemovedNote = z.infer<typeof RemovedNote>

/** A record that was published as a referrer of a converted image. */
export const AttachedRecord = z
  .object({ reference: z.string(), subject: Digest.describe('The converted manifest or index.') })
  .meta({ id: 'AttachedRecord', description: 'A record image that belongs to the converted image.' })
export type AttachedRecord = z.infer<typeof AttachedRecord>

/** What a conversion did. */
export const ConversionReport = z
  .object({
    source: z.string().describe('The source, by digest.'),
    target: z.string(),
    reused: z
      .boolean()
      .optional()
      .describe(
        'true: the same conversion was done before and its result is still there, so that only tags moved; what is said of layers and record is of that time.',
      ),
    digest: Digest.describe('What the target tag stands for now.'),
    mediaType: z.string(),
    size: Bytes.describe('Bytes of the converted layers.'),
    sourceSize: Bytes.describe('Bytes of the source layers.'),
    images: z.array(ImageReport),
    tocImage: z
      .object({ reference: z.string(), digest: Digest })
      .optional()
      .describe('The image with the tables of contents of layers that go without.'),
    attached: z.array(AttachedRecord).optional().describe('Records that were attached to the result.'),
    dropped: z.array(ManifestNote).describe('Manifests of the source index that were left out.'),
    kept: z.array(ManifestNote).describe('Manifests of the source index that were taken over unchanged.'),
    removed: z
      .array(RemovedNote)
      .optional()
      .describe('What was left out of manifests because it speaks of bytes that the result does not have.'),
    subject: Digest.optional().describe('The source, where the result names it as its subject.'),
    durationMs: z.int().nonnegative(),
  })
  .meta({ id: 'ConversionReport', description: 'What a conversion did.' })
export type ConversionReport = z.infer<typeof ConversionReport>

/** What was found in one layer by a verification. */
export const VerifiedLayer = z
  .object({
    digest: Digest,
    size: Bytes,
    tocDigest: Digest.optional(),
    diffId: Digest.optional(),
    entries: z.int().nonnegative().optional(),
    chunks: z.int().nonnegative().optional().describe('Chunks whose digests were checked.'),
    landmark: Landmark.optional(),
    prioritizedFiles: z.int().nonnegative().optional(),
    problem: z.string().optional().describe('What is wrong with the layer; left out when nothing is.'),
  })
  .meta({ id: 'VerifiedLayer', description: 'What was found in one layer.' })
export type VerifiedLayer = z.infer<typeof VerifiedLayer>

/** What a verification found. */
export const VerificationReport = z
  .object({
    reference: z.string().describe('The verified image, by digest.'),
    verified: z.boolean().describe('Whether every check held.'),
    images: z.array(
      z.object({
        platform: PlatformName,
        digest: Digest,
        layers: z.array(VerifiedLayer),
        differences: z
          .array(z.string())
          .optional()
          .describe(
            'Where what a lazy reader shows differs from what a pull of the source does; empty: nowhere.',
          ),
      }),
    ),
    durationMs: z.int().nonnegative(),
  })
  .meta({ id: 'VerificationReport', description: 'What a verification found.' })
export type VerificationReport = z.infer<typeof VerificationReport>

/** How far a verification is. */
export const VerificationProgress = z
  .object({ layers: z.int().nonnegative(), layersDone: z.int().nonnegative() })
  .meta({ id: 'VerificationProgress', description: 'How far a running verification is.' })
export type VerificationProgress = z.infer<typeof VerificationProgress>

/** What can be seen of one layer from its footer and table of contents. */
export const LayerInspection = z
  .object({
    digest: Digest,
    size: Bytes,
    mediaType: z.string(),
    estargz: z.boolean().describe('Whether it can be read lazily: eStargz or zstd:chunked.'),
    format: z.enum(['estargz', 'zstd-chunked']).optional(),
    externalToc: z
      .boolean()
      .optional()
      .describe('Whether its table of contents lies in an image of its own.'),
    tocDigest: Digest.optional(),
    tocDigestAnnotated: z
      .boolean()
      .optional()
      .describe('Whether the manifest names this digest, as readers that verify demand.'),
    entries: z.int().nonnegative().optional(),
    landmark: Landmark.optional(),
    prefetchBytes: Bytes.optional(),
    prioritized: z.array(z.string()).optional().describe('Prioritized files in their order.'),
    problem: z.string().optional().describe('Why a layer that calls itself eStargz cannot be read as such.'),
  })
  .meta({ id: 'LayerInspection', description: 'What a layer shows of itself.' })
export type LayerInspection = z.infer<typeof LayerInspection>

/** What can be seen of an image without reading its layers. */
export const ImageInspection = z
  .object({
    reference: z.string().describe('The image, by digest.'),
    digest: Digest,
    mediaType: z.string(),
    images: z.array(
      z.object({
        platform: PlatformName,
        digest: Digest,
        size: Bytes.describe('Bytes of all layers.'),
        layers: z.array(LayerInspection),
      }),
    ),
    others: z.array(ManifestNote).describe('Manifests of the index that are no images.'),
  })
  .meta({ id: 'ImageInspection', description: 'What an image shows of itself without a read of its layers.' })
export type ImageInspection = z.infer<typeof ImageInspection>
