import { MAX_PROVENANCE_RUNS, type Provenance, type SourceRecord } from '../provenance.ts'
import type { StoredRecord } from '../stored-record.ts'

/** Returns the part of the provenance that lists the source records. */
export function provenanceOf(
  records: readonly StoredRecord[],
): Pick<Provenance, 'records' | 'runs' | 'runCount'> {
  const runs = collectRuns(records)
  return { records: records.map(toMention), runs: runs.slice(0, MAX_PROVENANCE_RUNS), runCount: runs.length }
}

function toMention({ id, digest, image, workload, createdAt }: StoredRecord): SourceRecord {
  return {
    id,
    digest,
    ...(image !== undefined && { image }),
    ...(workload !== undefined && { workload }),
    createdAt: new Date(createdAt).toISOString(),
  }
}

/** Collects the distinct uploads from which the records were made, in their order. */
function collectRuns(records: readonly StoredRecord[]): SourceRecord[] {
  const runs = new Map<string, SourceRecord>()
  for (const record of records) {
    for (const run of record.provenance?.runs ?? [toMention(record)]) {
      if (!runs.has(run.id)) runs.set(run.id, run)
    }
  }
  return [...runs.values()]
}
