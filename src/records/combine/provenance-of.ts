import { MAX_PROVENANCE_RUNS, type Provenance, type RecordMention } from '../provenance.ts'
import type { StoredRecord } from '../stored-record.ts'

/** What a record that is made of others says of them. */
export function provenanceOf(
  records: readonly StoredRecord[],
): Pick<Provenance, 'records' | 'runs' | 'runCount'> {
  const runs = runsBehind(records)
  return { records: records.map(mentionOf), runs: runs.slice(0, MAX_PROVENANCE_RUNS), runCount: runs.length }
}

/** What is remembered of a record. */
function mentionOf({ id, digest, image, workload, createdAt }: StoredRecord): RecordMention {
  return {
    id,
    digest,
    ...(image !== undefined && { image }),
    ...(workload !== undefined && { workload }),
    createdAt: new Date(createdAt).toISOString(),
  }
}

/** The uploads behind records, each once, in their order. */
function runsBehind(records: readonly StoredRecord[]): RecordMention[] {
  const runs = new Map<string, RecordMention>()
  for (const record of records) {
    for (const run of record.provenance?.runs ?? [mentionOf(record)])
      if (!runs.has(run.id)) runs.set(run.id, run)
  }
  return [...runs.values()]
}
