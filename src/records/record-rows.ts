import type { Selectable } from 'kysely'
import type { Database } from '../db/database.ts'
import type { RecordsTable } from '../db/tables.ts'
import type { Digest } from '../oci/digest.ts'
import type { RecordFormat, SkippedAccesses } from './model.ts'
import { digestOfStored } from './stored-digest.ts'
import { parseNotes, parseProvenance } from './stored-documents.ts'
import type { Labels, StoredRecord } from './stored-record.ts'

/** All columns except the content, which may be long. */
export const SUMMARY_COLUMNS = [
  'id',
  'project',
  'digest',
  'image',
  'workload',
  'labels',
  'format',
  'entries',
  'paths',
  'skipped',
  'notes',
  'profiler',
  'profiler_version',
  'provenance',
  'created_at',
] as const

export type SummaryRow = Pick<Selectable<RecordsTable>, (typeof SUMMARY_COLUMNS)[number]>

/** Completes rows with the publications of their records. */
export async function withPublications(
  database: Database,
  rows: readonly SummaryRow[],
): Promise<StoredRecord[]> {
  if (rows.length === 0) return []
  const publications = await database.query
    .selectFrom('publications')
    .select(['record_id', 'reference', 'digest', 'created_at'])
    .where(
      'record_id',
      'in',
      rows.map((row) => row.id),
    )
    .orderBy('id')
    .execute()
  return rows.map((row) => ({
    id: row.id,
    project: row.project,
    digest: digestOfStored(row.digest),
    ...(row.image !== '' && { image: row.image }),
    ...(row.workload !== '' && { workload: row.workload }),
    labels: JSON.parse(row.labels) as Labels,
    format: row.format as RecordFormat,
    entryCount: row.entries,
    pathCount: row.paths,
    skipped: JSON.parse(row.skipped) as SkippedAccesses,
    notes: parseNotes(row.notes),
    ...(row.profiler !== '' && { profiler: row.profiler }),
    ...(row.profiler_version !== '' && { profilerVersion: row.profiler_version }),
    ...(row.provenance !== null && { provenance: parseProvenance(row.provenance) }),
    createdAt: row.created_at,
    publications: publications
      .filter(({ record_id }) => record_id === row.id)
      .map(({ reference, digest, created_at }) => ({
        reference,
        digest: digest as Digest,
        createdAt: created_at,
      })),
  }))
}
