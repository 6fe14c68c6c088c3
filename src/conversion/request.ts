import { z } from 'zod'
import type { Compression } from '../estargz/layer-coder.ts'
import { isPlatformText } from '../oci/platform.ts'
import { ReferenceText } from '../oci/reference.ts'
import { RecordEntries } from '../records/model.ts'

/** What docker and buildkit use too. */
const DEFAULT_COMPRESSION_LEVEL = 6

const PlatformText = z
  .string()
  .max(100)
  .refine(isPlatformText, 'a platform is os/architecture or os/architecture/variant')

const Platforms = z
  .array(PlatformText)
  .min(1)
  .max(50)
  .describe('Platforms to take from an index; left out: all of them.')

/** Where a conversion's record comes from. */
export const RecordSource = z
  .union([
    z.strictObject({ id: z.uuid().describe('A record that was uploaded.') }),
    z.strictObject({ image: ReferenceText.describe('A record file image.') }),
    z.strictObject({
      copyFrom: ReferenceText.describe('An eStargz image whose prioritized files are taken over.'),
    }),
    z.strictObject({
      match: z
        .strictObject({ workload: z.string().min(1).max(100).optional().describe('Only of this workload.') })
        .describe(
          'The record image that belongs to the source: of the same digest, then of the same repository, the newest first.',
        ),
    }),
    z.strictObject({ inline: RecordEntries.describe('The record itself.') }),
  ])
  .meta({
    id: 'RecordSource',
    description: 'Exactly one of id, image, match, copyFrom and inline.',
    examples: [{ image: 'registry.example/team/app:record-1.0-serve' }],
  })
export type RecordSource = z.infer<typeof RecordSource>

export const ConversionOptions = z
  .strictObject({
    compression: z
      .enum(['auto', 'transcode', 'refine', 'recompress'])
      .optional()
      .describe(
        "How layers are compressed. transcode: by the matches that the source's gzip found; refine: by them and a short search; recompress: anew, by zlib; auto, the default: transcode, or refine where that makes a worthwhile difference. Sources without gzip are recompressed.",
      ),
    compressionLevel: z
      .int()
      .min(0)
      .max(9)
      .optional()
      .describe(
        `Level of zlib where layers are recompressed; ${DEFAULT_COMPRESSION_LEVEL} when left out. Given without compression, layers are recompressed.`,
      ),
    attestations: z
      .enum(['drop', 'keep'])
      .optional()
      .describe('What becomes of attestation manifests in an index, which describe the unconverted images.'),
    attachRecord: z
      .boolean()
      .optional()
      .describe(
        'Whether the record is also published as a referrer of the converted image, so that the next conversion finds it from there.',
      ),
  })
  .meta({ id: 'ConversionOptions', description: 'How layers and indexes are written.' })
export type ConversionOptions = z.infer<typeof ConversionOptions>

/** How the options say that layers are compressed. */
export function compressionOf(options: ConversionOptions = {}): Compression {
  const { compression, compressionLevel } = options
  return {
    method: compression ?? (compressionLevel === undefined ? 'auto' : 'recompress'),
    level: compressionLevel ?? DEFAULT_COMPRESSION_LEVEL,
  }
}

/** What a conversion is asked to do, over HTTP and on the command line. */
export const ConversionRequest = z
  .strictObject({
    source: ReferenceText.describe('The image to convert; a tag is resolved when the job starts.'),
    target: ReferenceText.refine(
      (text) => !text.includes('@'),
      'the digest of a converted image is known afterwards only: name a tag',
    ).describe('Where the converted image goes.'),
    record: RecordSource.optional(),
    platforms: Platforms.optional(),
    options: ConversionOptions.optional(),
    overwrite: z
      .boolean()
      .optional()
      .describe('Whether a target tag that stands for something else is moved.'),
  })
  .refine(({ record, options }) => record !== undefined || options?.attachRecord !== true, {
    path: ['options', 'attachRecord'],
    message: 'needs a record to attach',
  })
  .meta({
    id: 'ConversionRequest',
    description: 'An image to convert into eStargz, registry to registry.',
    examples: [
      {
        source: 'registry.example/team/app:1.0',
        target: 'registry.example/team/app:1.0-esgz',
        record: { image: 'registry.example/team/app:record-1.0-serve' },
      },
    ],
  })
export type ConversionRequest = z.infer<typeof ConversionRequest>

/** What a verification is asked to check. */
export const VerificationRequest = z
  .strictObject({
    reference: ReferenceText.describe('The eStargz image to verify.'),
    source: ReferenceText.optional().describe(
      'The image it was made of: then the two root file systems are compared.',
    ),
    platforms: Platforms.optional(),
  })
  .meta({
    id: 'VerificationRequest',
    description: 'An eStargz image to verify, and what it should hold.',
    examples: [{ reference: 'registry.example/team/app:1.0-esgz', source: 'registry.example/team/app:1.0' }],
  })
export type VerificationRequest = z.infer<typeof VerificationRequest>
