import { z } from 'zod'
import { Digest } from '../oci/digest-schema.ts'

/** Merges of merges would grow without end. */
export const MAX_PROVENANCE_RUNS = 1000

/** How records are put together. */
export const MergeStrategy = z
  .enum(['union', 'intersection', 'frequency'])
  .describe(
    'union: what any record has; intersection: what all have; frequency: what at least a share of them has, which `threshold` names.',
  )
export type MergeStrategy = z.infer<typeof MergeStrategy>

/** A record as one that was made of it remembers it, also when it is deleted. */
export const RecordMention = z
  .object({
    id: z.string(),
    digest: Digest,
    image: z.string().optional(),
    workload: z.string().optional(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'RecordMention', description: 'A record that another one was made of.' })
export type RecordMention = z.infer<typeof RecordMention>

/** Where a record comes from that nobody uploaded. */
export const Provenance = z
  .object({
    kind: z.enum(['merge', 'retarget']),
    records: z.array(RecordMention).describe('What it was made of.'),
    runs: z
      .array(RecordMention)
      .describe(`The uploads behind these, each a run of a profiler; the first ${MAX_PROVENANCE_RUNS}.`),
    runCount: z.int(),
    strategy: MergeStrategy.optional(),
    threshold: z
      .number()
      .optional()
      .describe('Of a frequency merge: the share of records, above 0, up to 1.'),
    target: z
      .string()
      .optional()
      .describe('Of a retargeted record: the image that it was applied to, by digest.'),
    lost: z.int().optional().describe('Of a retargeted record: paths that this image has not.'),
  })
  .meta({ id: 'RecordProvenance', description: 'Where a record comes from that was made of others.' })
export type Provenance = z.infer<typeof Provenance>
