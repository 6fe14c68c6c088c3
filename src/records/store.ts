import { type Selectable, type SqlBool, sql } from 'kysely'
import type { Database } from '../db/database.ts'
import { newId } from '../db/new-id.ts'
import type { RecordsTable } from '../db/tables.ts'
import type { Digest } from '../oci/digest.ts'
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

export type RecordFilter = {
  readonly image?: string | undefined
  readonly workload?: string | undefined
  readonly digest?: string | undefined
  /** Only records with all of these labels. */
  readonly labels?: Labels | undefined
}

/** Databases bound the parameters of a statement. */
const MAX_IDS_PER_QUERY = 500

/** All columns except the content, which may be long. */
const SUMMARY_COLUMNS = [
  'id',
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

/** Stores records in the database: uploaded records, and records made from them. */
export class RecordStore {
  readonly #db: Database

  constructor(database: Database) {
    this.#db = database
  }

  /**
   * Stores a record durably. A record with the same content, image and workload is the same record; the
   * labels are added to those that it has.
   */
  async add(record: NewRecord): Promise<{ record: StoredRecord; created: boolean }> {
    const id = newId()
    // The databases merge JSON objects in different ways.
    const labels =
      this.#db.engine === 'postgres'
        ? sql<string>`(records.labels::jsonb || excluded.labels::jsonb)::text`
        : sql<string>`json_patch(records.labels, excluded.labels)`
    const row = await this.#db.query
      .insertInto('records')
      .values({
        id,
        digest: recordDigest(record.entries),
        image: record.image ?? '',
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
    const [stored] = await this.#withPublications([row])
    if (!stored) throw new RangeError('the inserted record was not returned')
    return { record: stored, created: row.id === id }
  }

  async get(id: string): Promise<StoredRecord | undefined> {
    const row = await this.#db.query
      .selectFrom('records')
      .select(SUMMARY_COLUMNS)
      .where('id', '=', id)
      .executeTakeFirst()
    return row && (await this.#withPublications([row]))[0]
  }

  /** Returns those of the ids that belong to a record. */
  async existingIds(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const existing = new Set<string>()
    for (let start = 0; start < ids.length; start += MAX_IDS_PER_QUERY) {
      const rows = await this.#db.query
        .selectFrom('records')
        .select('id')
        .where('id', 'in', ids.slice(start, start + MAX_IDS_PER_QUERY))
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
      .executeTakeFirst()
    const [record] = row ? await this.#withPublications([row]) : []
    return row && record && { record, entries: parseEntries(row.content) }
  }

  /** Returns only the entries of a record. */
  async readEntries(id: string): Promise<RecordEntry[] | undefined> {
    const row = await this.#db.query
      .selectFrom('records')
      .select('content')
      .where('id', '=', id)
      .executeTakeFirst()
    return row && parseEntries(row.content)
  }

  /** Returns a page of records, newest first, and the cursor of the next page if there is one. */
  async list(
    filter: RecordFilter,
    page: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<{ items: StoredRecord[]; next?: string }> {
    let query = this.#db.query.selectFrom('records').select(SUMMARY_COLUMNS)
    if (filter.image !== undefined) query = query.where('image', '=', filter.image)
    if (filter.workload !== undefined) query = query.where('workload', '=', filter.workload)
    if (filter.digest !== undefined) query = query.where('digest', '=', filter.digest)
    for (const [key, value] of Object.entries(filter.labels ?? {})) {
      query = query.where(sql<SqlBool>`${this.#labelColumn(key)} = ${value}`)
    }
    if (page.after !== undefined) query = query.where('id', '<', page.after)
    const rows = await query
      .orderBy('id', 'desc')
      .limit(page.limit + 1)
      .execute()
    const items = await this.#withPublications(rows.slice(0, page.limit))
    const last = items.at(-1)
    return rows.length > page.limit && last ? { items, next: last.id } : { items }
  }

  /** PostgreSQL needs casts, because the column contains the JSON as text. */
  #labelColumn(key: string) {
    return this.#db.engine === 'postgres' ? sql`labels::jsonb ->> ${key}::text` : sql`labels ->> ${key}`
  }

  /** Removes a record and its publications, unless an unfinished job needs it. */
  async remove(id: string): Promise<'removed' | 'missing' | 'needed'> {
    const removed = await this.#db.query
      .deleteFrom('records')
      .where('id', '=', id)
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
      .executeTakeFirst()
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

  /** Removes the publications as a record image that was deleted. */
  async removePublication(reference: string, digest: Digest): Promise<void> {
    await this.#db.query
      .deleteFrom('publications')
      .where('reference', '=', reference)
      .where('digest', '=', digest)
      .execute()
  }

  async #withPublications(rows: readonly SummaryRow[]): Promise<StoredRecord[]> {
    if (rows.length === 0) return []
    const publications = await this.#db.query
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
      digest: row.digest as Digest,
      ...(row.image !== '' && { image: row.image }),
      ...(row.workload !== '' && { workload: row.workload }),
      labels: JSON.parse(row.labels) as Labels,
      format: row.format as RecordFormat,
      entries: row.entries,
      paths: row.paths,
      skipped: JSON.parse(row.skipped) as SkippedAccesses,
      notes: JSON.parse(row.notes) as ProfileNotes,
      ...(row.profiler !== '' && { profiler: row.profiler }),
      ...(row.profiler_version !== '' && { profilerVersion: row.profiler_version }),
      ...(row.provenance !== null && { provenance: JSON.parse(row.provenance) as Provenance }),
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
}

type SummaryRow = Pick<Selectable<RecordsTable>, (typeof SUMMARY_COLUMNS)[number]>

function parseEntries(content: string): RecordEntry[] {
  const lines = content.split('\n').filter((line) => line !== '')
  return lines.map((line) => RecordEntry.parse(JSON.parse(line)))
}
