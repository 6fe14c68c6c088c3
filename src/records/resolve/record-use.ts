import { z } from 'zod'
import { Digest } from '../../oci/digest-schema.ts'

/** Paths that one report names, over all of its images: so many that are missing, and so many that are hidden. */
export const MAX_NAMED_PATHS = 1000
/** Bytes that all these names take as JSON. */
export const MAX_NAME_BYTES = 2 ** 20
export const MAX_IMPLIED_NAMED = 100

const Count = z.int().nonnegative()
const Bytes = z.int().nonnegative()

const Fetched = z
  .object({ bytes: Bytes, requests: Count })
  .meta({ id: 'FetchEstimate', description: 'What is fetched from the registry until a start is done.' })

const RecordUseLayer = z
  .object({
    digest: Digest.describe('Of the layer in the image that was asked about.'),
    size: Bytes.describe('Of the whole layer.'),
    files: Count.describe('Entries that the record prioritizes, parents left out.'),
    bytes: Bytes.describe('Content of these, uncompressed.'),
    prefetchBytes: Bytes.describe('Compressed bytes before the landmark.'),
  })
  .meta({ id: 'RecordUseLayer', description: 'What a record says of one layer.' })

const Staleness = z
  .object({
    profiled: z.string().describe('The profiled image.'),
    compared: Count.describe('Recorded files of the profiled image.'),
    changed: Count.describe('Those whose content is another in this image, or that it has not.'),
    share: z.number().min(0).max(1).describe('changed / compared.'),
  })
  .meta({
    id: 'RecordStaleness',
    description: 'How far an image has moved away from the one that was profiled.',
  })
export type Staleness = z.infer<typeof Staleness>

/** Where a record was found that a conversion looked for itself. */
export const RecordOrigin = z
  .object({
    reference: z.string().describe('The record image, by digest.'),
    match: z
      .enum(['digest', 'repository'])
      .describe('digest: it belongs to this very image; repository: to another one of its repository.'),
    image: z.string().optional().describe('The profiled image, as the publisher named it.'),
    workload: z.string().optional(),
    created: z.string().optional(),
  })
  .meta({ id: 'RecordOrigin', description: 'The record image that was chosen.' })
export type RecordOrigin = z.infer<typeof RecordOrigin>

const FIRST_NAMED = `the first ones, ${MAX_NAMED_PATHS} at most over all images of the report, as far as all names together take no more than ${MAX_NAME_BYTES} bytes`

/** What becomes of a record in one image. */
export const RecordUse = z
  .object({
    from: RecordOrigin.optional(),
    entries: Count,
    paths: Count.describe('Different recorded paths and globs.'),
    placed: Count.describe('Recorded paths and globs that were found in the image.'),
    followed: Count.describe('Those of them that symlinks led to.'),
    notFoundCount: Count.describe('All of them.'),
    notFound: z
      .array(
        z.object({
          path: z.string(),
          nearest: z.string().optional().describe('The name in the image that comes nearest.'),
        }),
      )
      .describe(`Recorded paths that no layer has; ${FIRST_NAMED}.`),
    hiddenCount: Count.describe('All of them.'),
    hidden: z
      .array(z.string())
      .describe(`Recorded paths that a layer has and those above it take away; ${FIRST_NAMED}.`),
    impliedCount: Count.optional().describe(
      'Interpreters that the kernel opens for recorded programs, and no path names: they are placed, too.',
    ),
    implied: z
      .array(z.object({ path: z.string(), by: z.string().describe('The recorded program that needs it.') }))
      .optional()
      .describe(`The first ${MAX_IMPLIED_NAMED} of them, as far as all names together leave room.`),
    programsUnread: Count.optional().describe(
      'Recorded programs whose interpreters were not looked for: their layers were not read.',
    ),
    layers: z.array(RecordUseLayer),
    imageBytes: Bytes.describe('Of all layers.'),
    prefetchBytes: Bytes.describe('What a start prefetches of them with this record.'),
    exact: z
      .boolean()
      .describe(
        'Whether compressed sizes are known; otherwise they are reckoned in proportion to plain sizes.',
      ),
    staleness: Staleness.optional(),
    stalenessUnknown: z.string().optional().describe('Why it cannot be told how stale the record is.'),
    start: z
      .object({
        withRecord: Fetched.describe('Lazily, with the recorded files first.'),
        withoutRecord: Fetched.describe('Lazily, each file when it is read.'),
        wholePull: Fetched.describe('Every layer whole.'),
      })
      .describe('An estimate for a start that reads the recorded files.'),
  })
  .meta({
    id: 'RecordUse',
    description: 'What becomes of a record in one image, and what it is worth there.',
  })
export type RecordUse = z.infer<typeof RecordUse>
