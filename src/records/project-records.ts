import { sql } from 'kysely'
import type { Database } from '../db/database.ts'
import { newId } from '../db/new-id.ts'
import type { ProjectScope } from '../db/project-scope.ts'
import type { Digest } from '../oci/digest.ts'
import type { HostNames } from '../oci/host-names.ts'
import {
  countPaths,
  type ProfileNotes,
  RecordEntry,
  type RecordFormat,
  recordDigest,
  type SkippedAccesses,
  writeRecordFile,
} from './model.ts'
import type { Provenance } from './provenance.ts'
import type { RecordListing, RecordListRequest, RecordPage } from './record-listing.ts'
import { assertRecordQuota } from './record-quota.ts'
import { SUMMARY_COLUMNS, withPublications } from './record-rows.ts'
import { storedDigest } from './stored-digest.ts'
import type { Labels, Publication, StoredRecord } from './stored-record.ts'

export type NewRecord = {
  readonly entries: readonly RecordEntry[]
  readonly format: RecordFormat
  readonly image?: string | undefined
  readonly workload?: string | undefined
  readonly labels: Labels
  readonly skipped?: SkippedAccesses | undefined
  readonly notes?: ProfileNotes | undefined
  readonly profiler?: string | undefined
  readonly profilerVersion?: string | undefined
  readonly provenance?: Provenance | undefined
}

/** Databases bound the parameters of a statement. */
const MAX_IDS_PER_QUERY = 500

/** What the records of all projects share. */
type SharedParts = {
  readonly database: Database
  readonly names: HostNames
  readonly listing: RecordListing
}

/** The records that a scope sees. New ones belong to its project. */
export class ProjectRecords {
  readonly #db: Database
  readonly #shared: SharedParts
  readonly #scope: ProjectScope

  constructor(shared: SharedParts, scope: ProjectScope) {
    this.#db = shared.database
    this.#shared = shared
    this.#scope = scope
  }

  /**
   * Stores a record durably. A record with the same content, image and workload is the same record; the
   * labels are added to those that it has.
   * @throws RecordQuotaError RECORD_QUOTA_EXCEEDED
   */
  async add(record: NewRecord): Promise<{ record: StoredRecord; created: boolean }> {
    const id = newId()
    const { project } = this.#scope
    const { names, listing } = this.#shared
    // The databases merge JSON objects in different ways.
    const labels =
      this.#db.engine === 'postgres'
        ? sql<string>`(records.labels::jsonb || excluded.labels::jsonb)::text`
        : sql<string>`json_patch(records.labels, excluded.labels)`
    const row = await this.#db.transaction(async (transaction) => {
      const inserted = await transaction
        .insertInto('records')
        .values({
          id,
          project,
          digest: storedDigest(recordDigest(record.entries), project),
          image: names.preferredReference(record.image ?? ''),
          workload: record.workload ?? '',
          labels: JSON.stringify(record.labels),
          format: record.format,
          entries: record.entries.length,
          paths: countPaths(record.entries),
          content: writeRecordFile(record.entries),
          skipped: JSON.stringify(record.skipped ?? {}),
          notes: JSON.stringify(record.notes ?? {}),
          profiler: record.profiler ?? '',
          profiler_version: record.profilerVersion ?? '',
          provenance: record.provenance === undefined ? null : JSON.stringify(record.provenance),
          created_at: this.#db.now,
        })
        .onConflict((conflict) => conflict.columns(['digest', 'image', 'workload']).doUpdateSet({ labels }))
        .returning(SUMMARY_COLUMNS)
        .executeTakeFirstOrThrow()
      if (inserted.id === id) await assertRecordQuota(this.#db, transaction, project)
      await listing.index(transaction, inserted)
      return inserted
    })
    const [stored] = await withPublications(this.#db, [row])
    if (!stored) throw new RangeError('the inserted record was not returned')
    return { record: stored, created: row.id === id }
  }

  async get(id: string): Promise<StoredRecord | undefined> {
    const row = await this.#db.query
      .selectFrom('records')
      .select(SUMMARY_COLUMNS)
      .where('id', '=', id)
      .where(this.#scope.condition())
      .executeTakeFirst()
    return row && (await withPublications(this.#db, [row]))[0]
  }

  /** Returns those of the ids that belong to a record. */
  async existingIds(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const existing = new Set<string>()
    for (let start = 0; start < ids.length; start += MAX_IDS_PER_QUERY) {
      const rows = await this.#db.query
        .selectFrom('records')
        .select('id')
        .where('id', 'in', ids.slice(start, start + MAX_IDS_PER_QUERY))
        .where(this.#scope.condition())
        .execute()
      for (const { id } of rows) existing.add(id)
    }
    return existing
  }

  /** Returns a record with its entries. */
  async read(id: string): Promise<{ record: StoredRecord; entries: RecordEntry[] } | undefined> {
    const row = await this.#db.query
      .selectFrom('records')
      .select([...SUMMARY_COLUMNS, 'content'])
      .where('id', '=', id)
      .where(this.#scope.condition())
      .executeTakeFirst()
    const [record] = row ? await withPublications(this.#db, [row]) : []
    return row && record && { record, entries: parseEntries(row.content) }
  }

  /** Returns only the entries of a record. */
  async readEntries(id: string): Promise<RecordEntry[] | undefined> {
    const row = await this.#db.query
      .selectFrom('records')
      .select('content')
      .where('id', '=', id)
      .where(this.#scope.condition())
      .executeTakeFirst()
    return row && parseEntries(row.content)
  }

  /** Returns a page of records, newest first. */
  list(
    request: RecordListRequest,
    page: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<RecordPage> {
    return this.#shared.listing.list(request, page, this.#scope)
  }

  /** Removes a record and its publications, unless an unfinished job needs it. */
  async remove(id: string): Promise<'removed' | 'missing' | 'needed'> {
    const removed = await this.#db.write((query) =>
      query
        .deleteFrom('records')
        .where('id', '=', id)
        .where(this.#scope.condition())
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('jobs')
                .select('jobs.id')
                .where('record_id', '=', id)
                .where('state', 'in', ['queued', 'running']),
            ),
          ),
        )
        .returning('id')
        .executeTakeFirst(),
    )
    if (removed) return 'removed'
    return (await this.get(id)) ? 'needed' : 'missing'
  }

  /** Adds a publication of a record, which replaces an earlier one with the same reference. */
  async addPublication(
    id: string,
    { reference, digest }: Omit<Publication, 'createdAt'>,
  ): Promise<Publication> {
    const row = await this.#db.query
      .insertInto('publications')
      .values({ id: newId(), record_id: id, reference, digest, created_at: this.#db.now })
      .onConflict((conflict) =>
        conflict
          .columns(['record_id', 'reference'])
          .doUpdateSet({ digest: sql`excluded.digest`, created_at: sql`excluded.created_at` }),
      )
      .returning('created_at')
      .executeTakeFirstOrThrow()
    return { reference, digest, createdAt: row.created_at }
  }

  /** Removes the publications as a record image that was deleted, whichever records were published as it. */
  async removePublication(reference: string, digest: Digest): Promise<void> {
    await this.#db.write((query) =>
      query
        .deleteFrom('publications')
        .where('reference', '=', reference)
        .where('digest', '=', digest)
        .execute(),
    )
  }
}

function parseEntries(content: string): RecordEntry[] {
  const lines = content.split('\n').filter((line) => line !== '')
  return lines.map((line) => RecordEntry.parse(JSON.parse(line)))
}
