import { z } from 'zod'
import { ProjectName } from '../../access/projects/project.ts'
import { Digest } from '../../oci/digest-schema.ts'
import { ProfileNotes, RecordFormat, SkippedAccesses } from '../../records/model.ts'
import { Provenance } from '../../records/provenance.ts'
import type { StoredRecord } from '../../records/stored-record.ts'
import { isoTime, Timestamp } from '../parameters.ts'

const DIGEST = 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'
export const EXAMPLE_ID = '019ab1c2-7a30-7000-8000-4b1c2d3e4f50'
export const EXAMPLE_DIGEST = Digest.parse(DIGEST)

const PublicationView = z.object({ reference: z.string(), digest: Digest, createdAt: Timestamp }).meta({
  id: 'RecordPublication',
  description: 'A reference that a record was published to as a record file image.',
  examples: [
    {
      reference: 'registry.example/team/app:record-1.0-serve',
      digest: EXAMPLE_DIGEST,
      createdAt: '2026-01-02T03:04:05.678Z',
    },
  ],
})

export const RecordView = z
  .object({
    id: z.string(),
    project: ProjectName,
    digest: Digest.describe(
      'The digest of the record file. Records with the same content have the same digest.',
    ),
    image: z.string().optional().describe('The profiled image.'),
    workload: z.string().optional(),
    labels: z.record(z.string(), z.string()),
    format: RecordFormat.describe('The format of the uploaded profile.'),
    entryCount: z.int().describe('The number of entries.'),
    pathCount: z.int().describe('The number of distinct paths among the entries.'),
    skipped: SkippedAccesses,
    ...ProfileNotes.shape,
    profiler: z.string().optional().describe('The profiler that created the profile.'),
    profilerVersion: z.string().optional(),
    provenance: Provenance.optional(),
    createdAt: Timestamp,
    publications: z.array(PublicationView),
  })
  .meta({
    id: 'StartupRecord',
    description: 'A start-up record, without its entries.',
    examples: [
      {
        id: EXAMPLE_ID,
        project: 'team-a',
        digest: EXAMPLE_DIGEST,
        image: 'registry.example/team/app:1.0',
        workload: 'serve',
        labels: { commit: '4f2a91c' },
        format: 'strace',
        entryCount: 214,
        pathCount: 210,
        skipped: { pseudo: 12, failed: 340 },
        profiler: 'strace',
        createdAt: '2026-01-02T03:04:05.678Z',
        publications: [],
      },
    ],
  })
export type RecordView = z.infer<typeof RecordView>

export function recordView({ publications, createdAt, labels, notes, ...record }: StoredRecord): RecordView {
  return {
    ...record,
    ...notes,
    labels: { ...labels },
    createdAt: isoTime(createdAt),
    publications: publications.map(({ reference, digest, createdAt }) => ({
      reference,
      digest,
      createdAt: isoTime(createdAt),
    })),
  }
}
