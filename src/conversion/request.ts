import { z } from 'zod'
import type { CompressionPolicy } from '../compression/layer-coder.ts'
import { type BlobFormat, DEFAULT_FORMAT } from '../estargz/blob-format.ts'
import { isPlatformText } from '../oci/platform.ts'
import { parseReference, ReferenceText } from '../oci/reference.ts'
import { RecordEntries } from '../records/model.ts'

/** gzip: as docker and buildkit; zstd: as stargz-snapshotter and containers/storage. */
const DEFAULT_COMPRESSION_LEVELS = { gzip: 6, zstd: 3 }

const PlatformText = z
  .string()
  .max(100)
  .refine(isPlatformText, 'must be os/architecture or os/architecture/variant')

const Platforms = z
  .array(PlatformText)
  .min(1)
  .max(50)
  .describe('The platforms to use from an index; default: all of them.')

/** The record of a conversion. */
export const ConversionRecord = z
  .union([
    z.strictObject({ id: z.uuid().describe('The id of an uploaded record.') }),
    z.strictObject({ image: ReferenceText.describe('The reference of a record image.') }),
    z.strictObject({
      copyFrom: ReferenceText.describe('An eStargz image whose prioritized files are copied.'),
    }),
    z.strictObject({
      match: z
        .strictObject({
          workload: z.string().min(1).max(100).optional().describe('Selects only records of this workload.'),
        })
        .describe(
          'Selects the record image that belongs to the source: the newest for the same digest, otherwise the newest for the same repository.',
        ),
    }),
    z.strictObject({ inline: RecordEntries.describe('The entries of the record.') }),
  ])
  .meta({
    id: 'ConversionRecord',
    description: 'The record to convert with: exactly one of id, image, match, copyFrom and inline.',
    examples: [{ image: 'registry.example/team/app:record-1.0-serve' }],
  })
export type ConversionRecord = z.infer<typeof ConversionRecord>

/** Smaller chunks would make the table of contents huge, larger ones would take much memory to verify. */
const CHUNK_BYTES = { min: 64 * 1024, max: 64 * 1024 * 1024 }

export const ConversionOptions = z
  .strictObject({
    format: z
      .enum(['estargz', 'zstd-chunked'])
      .optional()
      .describe(
        'The format of converted layers: estargz (gzip), the default, or zstd-chunked (zstd:chunked).',
      ),
    compression: z
      .enum(['auto', 'transcode', 'refine', 'recompress'])
      .optional()
      .describe(
        "How layers are compressed. transcode: reuses the matches of the source's gzip stream; refine: reuses them and searches briefly for better ones; recompress: compresses anew with zlib; auto, the default: transcode, or refine where that saves enough bytes. Sources that are not gzip are always recompressed, and so are layers in the format zstd-chunked.",
      ),
    compressionLevel: z
      .int()
      .min(0)
      .max(22)
      .optional()
      .describe(
        `The level of layers that are recompressed: 0 to 9 for zlib, default: ${DEFAULT_COMPRESSION_LEVELS.gzip}; 1 to 22 for zstd, default: ${DEFAULT_COMPRESSION_LEVELS.zstd}. A level without the option compression recompresses all layers.`,
      ),
    chunkSize: z
      .int()
      .min(CHUNK_BYTES.min)
      .max(CHUNK_BYTES.max)
      .optional()
      .describe(
        `The maximum size of a chunk in bytes; readers fetch and verify files chunk by chunk. Default: ${DEFAULT_FORMAT.chunkSize}.`,
      ),
    minChunkSize: z
      .int()
      .min(0)
      .max(CHUNK_BYTES.max)
      .optional()
      .describe(
        'Files smaller than this share a compressed member until it holds this many uncompressed bytes. This makes layers smaller, but older readers cannot read them. Default: 0, each chunk has a member of its own.',
      ),
    externalToc: z
      .boolean()
      .optional()
      .describe(
        'Whether tables of contents are stored in an image of their own, whose tag is the target tag with the suffix -esgztoc. Default: false.',
      ),
    keepDiffId: z
      .boolean()
      .optional()
      .describe(
        'Whether the tar archives of the layers, and so their diffIDs, stay unchanged. Requires externalToc, and cannot be combined with a record. Default: false.',
      ),
    reader: z
      .enum(['stargz-snapshotter', 'containers-storage'])
      .optional()
      .describe(
        'The reader that zstd:chunked layers are annotated for, as containers/storage rejects an image with the annotations of both: stargz-snapshotter, the default, or containers-storage (podman, CRI-O), for which tar-split data is added so that it can pull partially.',
      ),
    attestations: z
      .enum(['drop', 'keep'])
      .optional()
      .describe(
        'Whether the attestation manifests of an index are dropped, the default, or kept. Kept attestations still name the unconverted images, which they describe.',
      ),
    link: z
      .enum(['subject'])
      .optional()
      .describe(
        'subject: the result names the source as its subject, so that registries list it as a referrer of the source, if both are in the same repository. Deleting the source may then delete the result, too.',
      ),
    interpreters: z
      .boolean()
      .optional()
      .describe(
        'Whether the interpreters that the kernel opens to run recorded programs (PT_INTERP, `#!`) are placed after these, too. Records of system calls lack them. Default: true.',
      ),
    attachRecord: z
      .boolean()
      .optional()
      .describe(
        'Whether the record is also published as a referrer of the converted image, so that later conversions of that image find it. Default: false.',
      ),
  })
  .check(({ value, issues }) => {
    for (const [path, message] of contradictions(value)) {
      issues.push({ code: 'custom', input: value, path: [path], message })
    }
  })
  .meta({ id: 'ConversionOptions', description: 'How layers, manifests and indexes are written.' })
export type ConversionOptions = z.infer<typeof ConversionOptions>

/** Yields each option that contradicts another one, with the reason. */
function* contradictions(options: Record<string, unknown>): Generator<[keyof ConversionOptions, string]> {
  const { compression, compressionLevel: level } = options
  if (options.format === 'zstd-chunked') {
    if (compression === 'transcode' || compression === 'refine') {
      yield ['compression', 'must be recompress or auto: zstd:chunked layers are always recompressed']
    }
    if (level === 0) yield ['compressionLevel', 'must be 1 to 22 for zstd']
    if (options.reader === 'containers-storage' && options.minChunkSize) {
      yield [
        'minChunkSize',
        'must be 0 for the reader containers-storage, which cannot read members that several files share',
      ]
    }
    if (options.externalToc)
      yield [
        'externalToc',
        'cannot be combined with zstd-chunked, which stores its table of contents in a skippable frame of the layer',
      ]
  } else {
    if (typeof level === 'number' && level > 9) yield ['compressionLevel', 'must be 0 to 9 for zlib']
    if (options.reader !== undefined) yield ['reader', 'requires the format zstd-chunked']
  }
  if (options.keepDiffId && !options.externalToc) {
    yield ['keepDiffId', 'requires externalToc: a table of contents inside the layer would change the diffID']
  }
}

/** Returns the compression policy that options select. */
export function compressionPolicyFor(options: ConversionOptions = {}): CompressionPolicy {
  const { compression, compressionLevel } = options
  return {
    method: compression ?? (compressionLevel === undefined ? 'auto' : 'recompress'),
    level: compressionLevel ?? DEFAULT_COMPRESSION_LEVELS[blobFormatFor(options).compression],
  }
}

/** Returns the blob format that options select. */
export function blobFormatFor(options: ConversionOptions = {}): BlobFormat {
  return {
    compression: options.format === 'zstd-chunked' ? 'zstd' : 'gzip',
    externalToc: options.externalToc ?? false,
    lossless: options.keepDiffId ?? false,
    chunkSize: options.chunkSize ?? DEFAULT_FORMAT.chunkSize,
    minChunkSize: options.minChunkSize ?? DEFAULT_FORMAT.minChunkSize,
    tarSplit: options.reader === 'containers-storage',
  }
}

/**
 * Returns the values of all options that the output depends on, defaults included. Their JSON is hashed into
 * cache keys and annotations: a change of their order or number makes all earlier results look different.
 */
export function outputOptions(options: ConversionOptions = {}): unknown[] {
  const { compression, externalToc, lossless, chunkSize, minChunkSize } = blobFormatFor(options)
  const { method, level } = compressionPolicyFor(options)
  const { reader = 'stargz-snapshotter', interpreters = true, attestations = 'drop', link = 'none' } = options
  return [
    [compression, externalToc, lossless, chunkSize, minChunkSize],
    [method, level],
    [reader, interpreters, attestations, link],
  ]
}

/**
 * The tag suffix under which stargz-snapshotter 0.18 looks for tables of contents
 * (`nativeconverter/estargz/externaltoc`).
 */
export const TOC_TAG_SUFFIX = '-esgztoc'
/** distribution-spec 1.1, "Pulling manifests". */
const MAX_TAG_LENGTH = 128

function hasRoomForTocSuffix(target: string): boolean {
  return (parseReference(target).tag ?? 'latest').length + TOC_TAG_SUFFIX.length <= MAX_TAG_LENGTH
}

/** The request for a conversion, over HTTP and on the command line. */
export const ConversionRequest = z
  .strictObject({
    source: ReferenceText.describe('The image to convert. A tag is resolved when the job starts.'),
    target: ReferenceText.refine(
      (text) => !text.includes('@'),
      'must be a tag: the digest of a converted image is known only after the conversion',
    ).describe('The tag under which the converted image is pushed.'),
    record: ConversionRecord.optional(),
    platforms: Platforms.optional(),
    options: ConversionOptions.optional(),
    overwrite: z
      .boolean()
      .optional()
      .describe('Whether the target tag is moved if it points to something else. Default: false.'),
  })
  .refine(({ record, options }) => !(record && options?.keepDiffId), {
    path: ['options', 'keepDiffId'],
    message: 'cannot be combined with a record: another order of files changes the diffID',
  })
  .refine(({ target, options }) => !options?.externalToc || hasRoomForTocSuffix(target), {
    path: ['target'],
    message: `the tag is too long: with the suffix ${TOC_TAG_SUFFIX} it may have ${MAX_TAG_LENGTH} characters`,
  })
  .refine(({ record, options }) => record !== undefined || options?.attachRecord !== true, {
    path: ['options', 'attachRecord'],
    message: 'requires a record to attach',
  })
  .meta({
    id: 'ConversionRequest',
    description: 'An image to convert to eStargz or zstd:chunked, registry to registry.',
    examples: [
      {
        source: 'registry.example/team/app:1.0',
        target: 'registry.example/team/app:1.0-esgz',
        record: { image: 'registry.example/team/app:record-1.0-serve' },
      },
    ],
  })
export type ConversionRequest = z.infer<typeof ConversionRequest>

/** The request for a verification. */
export const VerificationRequest = z
  .strictObject({
    reference: ReferenceText.describe('The eStargz image to verify.'),
    source: ReferenceText.optional().describe(
      'The image that it was converted from; if given, the root file systems of both are compared.',
    ),
    platforms: Platforms.optional(),
  })
  .meta({
    id: 'VerificationRequest',
    description: 'An eStargz image to verify, and the image to compare it with.',
    examples: [{ reference: 'registry.example/team/app:1.0-esgz', source: 'registry.example/team/app:1.0' }],
  })
export type VerificationRequest = z.infer<typeof VerificationRequest>
