import { z } from 'zod'
import { Digest } from '../oci/digest-schema.ts'

/** Bounds the provenance of merges of merges. */
export const MAX_PROVENANCE_RUNS = 1000

export const MergeStrategy = z
  .enum(['union', 'intersection', 'frequency'])
  .describe(
    'union: the paths of any record; intersection: the paths of all records; frequency: the paths of at least the share of records in `threshold`.',
  )
export type MergeStrategy = z.infer<typeof MergeStrategy>

/** A source record, as stored with the record that was made from it: the source may since be deleted. */
export const SourceRecord = z
  .object({
    id: z.string(),
    digest: Digest,
    image: z.string().optional(),
    workload: z.string().optional(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'SourceRecord', description: 'A record from which another record was made.' })
export type SourceRecord = z.infer<typeof SourceRecord>

/** The origin of a record that was not uploaded. */
export const Provenance = z
  .object({
    kind: z.enum(['merge', 'retarget']),
    records: z.array(SourceRecord).describe('The records that this record was made from.'),
    runs: z
      .array(SourceRecord)
      .describe(
        `The uploads from which these were made, each a run of a profiler; the first ${MAX_PROVENANCE_RUNS}.`,
      ),
    runCount: z.int().describe('The number of all uploads.'),
    strategy: MergeStrategy.optional(),
    threshold: z
      .number()
      .optional()
      .describe('For a frequency merge: the share of records, greater than 0 and at most 1.'),
    target: z
      .string()
      .optional()
      .describe('For a retargeted record: the image that it was applied to, with its digest.'),
    lostCount: z
      .int()
      .optional()
      .describe('For a retargeted record: the number of paths that this image lacks.'),
  })
  .meta({ id: 'RecordProvenance', description: 'The origin of a record that was made from other records.' })
export type Provenance = z.infer<typeof Provenance>
