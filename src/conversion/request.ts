import { z } from 'zod'
import type { CompressionPolicy } from '../compression/layer-coder.ts'
import { type BlobFormat, DEFAULT_FORMAT } from '../estargz/blob-format.ts'
import { isPlatformText } from '../oci/platform.ts'
import { parseReference, ReferenceText } from '../oci/reference.ts'
import { RecordEntries } from '../records/model.ts'

/** What docker and buildkit use, too, and what stargz-snapshotter and containers/storage do. */
const DEFAULT_LEVELS = { gzip: 6, zstd: 3 }

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

/** Bounds of chunks: smaller ones would make tables of contents huge, larger ones take much memory to verify. */
const CHUNK_BYTES = { least: 64 * 1024, most: 64 * 1024 * 1024 }

export const ConversionOptions = z
  .strictObject({
    format: z
      .enum(['estargz', 'zstd-chunked'])
      .optional()
      .describe('What layers become: eStargz (gzip), the default, or zstd:chunked.'),
    compression: z
      .enum(['auto', 'transcode', 'refine', 'recompress'])
      .optional()
      .describe(
        "How layers are compressed. transcode: by the matches that the source's gzip found; refine: by them and a short search; recompress: anew, by zlib; auto, the default: transcode, or refine where that makes a worthwhile difference. Sources without gzip are recompressed, and zstd:chunked always is.",
      ),
    compressionLevel: z
      .int()
      .min(0)
      .max(22)
      .optional()
      .describe(
        `Where layers are recompressed: of zlib from 0 to 9, ${DEFAULT_LEVELS.gzip} when left out; of zstd from 1 to 22, ${DEFAULT_LEVELS.zstd} when left out. Given without compression, layers are recompressed.`,
      ),
    chunkSize: z
      .int()
      .min(CHUNK_BYTES.least)
      .max(CHUNK_BYTES.most)
      .optional()
      .describe(
        `The most bytes of a file that are read and verified at once; ${DEFAULT_FORMAT.chunkSize} when left out.`,
      ),
    minChunkSize: z
      .int()
      .min(0)
      .max(CHUNK_BYTES.most)
      .optional()
      .describe(
        'Smaller files share a member until it holds so many bytes: smaller layers, which older readers cannot read. 0, the default: no file shares one.',
      ),
    externalToc: z
      .boolean()
      .optional()
      .describe(
        'Whether tables of contents go into an image of their own, the target tag with -esgztoc behind it.',
      ),
    keepDiffId: z
      .boolean()
      .optional()
      .describe(
        'Whether the archives stay as they are, so that their diffIDs do. Needs externalToc, and goes with no record.',
      ),
    reader: z
      .enum(['stargz-snapshotter', 'containers-storage'])
      .optional()
      .describe(
        'Whom zstd:chunked layers are written for, as containers/storage refuses an image that has the annotations of both: stargz-snapshotter, the default, or containers-storage (podman, CRI-O), which also gets the data of tar-split, so that it pulls in parts.',
      ),
    attestations: z
      .enum(['drop', 'keep'])
      .optional()
      .describe(
        'What becomes of attestation manifests in an index: they are left out, the default, or kept; then they still name the unconverted images, which they describe.',
      ),
    link: z
      .enum(['subject'])
      .optional()
      .describe(
        'subject: the source becomes the subject of the result, so that it is listed as a referrer of the source, where both lie in one repository. Whoever deletes the source may delete the result with it then.',
      ),
    interpreters: z
      .boolean()
      .optional()
      .describe(
        'Whether the files that the kernel opens to run recorded programs (PT_INTERP, `#!`) are placed behind them; true when left out. Records of system calls lack them.',
      ),
    attachRecord: z
      .boolean()
      .optional()
      .describe(
        'Whether the record is also published as a referrer of the converted image, so that the next conversion finds it from there.',
      ),
  })
  .check(({ value, issues }) => {
    for (const [path, message] of contradictions(value)) {
      issues.push({ code: 'custom', input: value, path: [path], message })
    }
  })
  .meta({ id: 'ConversionOptions', description: 'How layers and indexes are written.' })
export type ConversionOptions = z.infer<typeof ConversionOptions>

/** Options that do not go together: which, and why. */
function* contradictions(o: Record<string, unknown>): Generator<[keyof ConversionOptions, string]> {
  const { compression, compressionLevel: level } = o
  if (o.format === 'zstd-chunked') {
    if (compression === 'transcode' || compression === 'refine') {
      yield ['compression', 'zstd:chunked is always compressed anew']
    }
    if (level === 0) yield ['compressionLevel', 'levels of zstd are 1 to 22']
    if (o.reader === 'containers-storage' && o.minChunkSize) {
      yield ['minChunkSize', 'containers/storage cannot read members that files share']
    }
    if (o.externalToc)
      yield ['externalToc', 'zstd:chunked keeps its table of contents where decoders do not look']
  } else {
    if (typeof level === 'number' && level > 9) yield ['compressionLevel', 'levels of zlib are 0 to 9']
    if (o.reader !== undefined) yield ['reader', 'only zstd:chunked differs by reader']
  }
  if (o.keepDiffId && !o.externalToc) {
    yield ['keepDiffId', 'needs externalToc: a table of contents inside would change the diffID']
  }
}

/** How the options say that layers are compressed. */
export function compressionOf(options: ConversionOptions = {}): CompressionPolicy {
  const { compression, compressionLevel } = options
  return {
    method: compression ?? (compressionLevel === undefined ? 'auto' : 'recompress'),
    level: compressionLevel ?? DEFAULT_LEVELS[formatOf(options).compression],
  }
}

/** How the options say that blobs are written. */
export function formatOf(options: ConversionOptions = {}): BlobFormat {
  return {
    compression: options.format === 'zstd-chunked' ? 'zstd' : 'gzip',
    externalToc: options.externalToc ?? false,
    lossless: options.keepDiffId ?? false,
    chunkSize: options.chunkSize ?? DEFAULT_FORMAT.chunkSize,
    minChunkSize: options.minChunkSize ?? DEFAULT_FORMAT.minChunkSize,
    tarSplit: options.reader === 'containers-storage',
  }
}

/** The options that a result depends on, those that were left out included. */
export function outputOptions(options: ConversionOptions = {}): unknown[] {
  const { compression: packing, externalToc, lossless, chunkSize, minChunkSize } = formatOf(options)
  const { method, level } = compressionOf(options)
  const { reader = 'stargz-snapshotter', interpreters = true, attestations = 'drop', link = 'none' } = options
  return [
    [packing, externalToc, lossless, chunkSize, minChunkSize],
    [method, level],
    [reader, interpreters, attestations, link],
  ]
}

/** What stargz-snapshotter 0.18 looks for behind the tag of an image (`nativeconverter/estargz/externaltoc`). */
export const TOC_TAG_SUFFIX = '-esgztoc'
const MAX_TAG_LENGTH = 128

function tocTagFits(target: string): boolean {
  return (parseReference(target).tag ?? 'latest').length + TOC_TAG_SUFFIX.length <= MAX_TAG_LENGTH
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
  .refine(({ record, options }) => !(record && options?.keepDiffId), {
    path: ['options', 'keepDiffId'],
    message: 'goes with no record: another order of files changes the diffID',
  })
  .refine(({ target, options }) => !options?.externalToc || tocTagFits(target), {
    path: ['target'],
    message: `the tag leaves no room for ${TOC_TAG_SUFFIX} behind it`,
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
