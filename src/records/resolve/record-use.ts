import { z } from 'zod'
import { Digest } from '../../oci/digest-schema.ts'

/** The most missing paths that one report names over all of its images, and the most hidden paths. */
export const MAX_NAMED_PATHS = 1000
/** The most bytes of all names in a report, as JSON. */
export const MAX_NAME_BYTES = 2 ** 20
/** The most implied files that the report on one image names. */
export const MAX_IMPLIED_NAMED = 100

const Count = z.int().nonnegative()
const Bytes = z.int().nonnegative()

const FetchEstimate = z.object({ bytes: Bytes, requestCount: Count }).meta({
  id: 'FetchEstimate',
  description: 'Estimated transfers from the registry until the container has started.',
})

const RecordUseLayer = z
  .object({
    digest: Digest.describe('The digest of the layer in the evaluated or source image.'),
    size: Bytes.describe('The size of the layer.'),
    fileCount: Count.describe(
      'The number of entries that the record prioritizes, without parent directories.',
    ),
    bytes: Bytes.describe('The uncompressed size of these entries.'),
    prefetchBytes: Bytes.describe('The compressed bytes before the landmark.'),
  })
  .meta({ id: 'RecordUseLayer', description: 'The effect of a record on one layer.' })

const Staleness = z
  .object({
    profiled: z.string().describe('The profiled image.'),
    comparedCount: Count.describe('The number of recorded files in the profiled image.'),
    changedCount: Count.describe(
      'The number of these files whose content differs in this image, or that it lacks.',
    ),
    share: z.number().min(0).max(1).describe('`changedCount` divided by `comparedCount`.'),
  })
  .meta({
    id: 'RecordStaleness',
    description: 'How far an image differs from the profiled image.',
  })
export type Staleness = z.infer<typeof Staleness>

/** The record image that a conversion selected by itself. */
export const RecordOrigin = z
  .object({
    reference: z.string().describe('The record image with its digest.'),
    match: z
      .enum(['digest', 'repository'])
      .describe(
        'digest: the record image belongs to this very image; repository: to another image of its repository.',
      ),
    image: z.string().optional().describe('The profiled image, as named by the publisher.'),
    workload: z.string().optional(),
    createdAt: z.string().optional().describe('When the record was created, according to the image.'),
  })
  .meta({ id: 'RecordOrigin', description: 'The record image that was selected.' })
export type RecordOrigin = z.infer<typeof RecordOrigin>

const NAME_BOUNDS = `at most ${MAX_NAMED_PATHS} over all images of the report, and at most ${MAX_NAME_BYTES} bytes of names in the report`

/** The effect of a record on one image. */
export const RecordUse = z
  .object({
    from: RecordOrigin.optional(),
    entryCount: Count,
    pathCount: Count.describe('The number of distinct recorded paths and globs.'),
    placedCount: Count.describe('The number of recorded paths and globs that were found in the image.'),
    followedCount: Count.describe('The number of those that were found through symlinks.'),
    notFoundCount: Count.describe('The number of recorded paths that no layer has.'),
    notFound: z
      .array(
        z.object({
          path: z.string(),
          nearest: z.string().optional().describe('The most similar path in the image.'),
        }),
      )
      .describe(`The first recorded paths that no layer has; ${NAME_BOUNDS}.`),
    hiddenCount: Count.describe('The number of recorded paths that a layer has but an upper layer removes.'),
    hidden: z
      .array(z.string())
      .describe(`The first recorded paths that a layer has but an upper layer removes; ${NAME_BOUNDS}.`),
    impliedCount: Count.optional().describe(
      'The number of interpreters that the kernel opens for recorded programs and that no recorded path names. They are placed, too.',
    ),
    implied: z
      .array(
        z.object({
          path: z.string(),
          by: z.string().describe('The recorded program that needs the interpreter.'),
        }),
      )
      .optional()
      .describe(
        `The first ${MAX_IMPLIED_NAMED} of these interpreters, as far as the bound on bytes of names allows.`,
      ),
    unreadProgramCount: Count.optional().describe(
      'The number of recorded programs whose interpreters are unknown because their layers were not read.',
    ),
    layers: z.array(RecordUseLayer),
    imageBytes: Bytes.describe('The size of all layers.'),
    prefetchBytes: Bytes.describe('The bytes of all layers that a start prefetches with this record.'),
    exact: z
      .boolean()
      .describe(
        'Whether compressed sizes are exact; otherwise they are estimated in proportion to uncompressed sizes.',
      ),
    staleness: Staleness.optional(),
    stalenessUnknown: z.string().optional().describe('Why the staleness of the record is unknown.'),
    start: z
      .object({
        withRecord: FetchEstimate.describe('A lazy start with the recorded files first.'),
        withoutRecord: FetchEstimate.describe('A lazy start that fetches each file when it is read.'),
        wholePull: FetchEstimate.describe('A full pull of all layers.'),
      })
      .describe('Estimates for a start that reads the recorded files.'),
  })
  .meta({
    id: 'RecordUse',
    description: 'The effect of a record on one image, and the estimated benefit.',
  })
export type RecordUse = z.infer<typeof RecordUse>
