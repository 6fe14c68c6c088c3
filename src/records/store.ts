import { type Selectable, type SqlBool, sql } from 'kysely'
import { newId } from '../db/new-id.ts'
import type { Database } from '../db/open.ts'
import type { RecordsTable } from '../db/tables.ts'
import type { Digest } from '../oci/digest.ts'
import {
  countPaths,
  type ProfileNotes,
  RecordEntry,
  type RecordFormat,
  recordDigest,
  type Skipped,
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
  readonly skipped?: Skipped | undefined
  readonly notes?: ProfileNotes | undefined
  readonly profiler?: string | undefined
  readonly profilerVersion?: string | undefined
  readonly provenance?: Provenance | undefined
}

export type RecordFilter = {
  readonly image?: string | undefined
  readonly workload?: string | undefined
  readonly digest?: string | undefined
  /** All of them. */
  readonly labels?: Labels | undefined
}

const IDS_AT_ONCE = 500

/** What is known of a record without reading its content, which may be long. */
const SUMMARY = [
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

/** The uploaded records. */
export class RecordStore {
  readonly #db: Database

  constructor(database: Database) {
    this.#db = database
  }

  /**
   * Keeps a record: when this returns, it is on disk. The same content for the same image and workload is the same
   * record; labels given again are added to it.
   */
  async add(record: NewRecord): Promise<{ record: StoredRecord; created: boolean }> {
    const id = newId()
    // Each engine has its own way to lay one JSON object over another.
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
      .returning(SUMMARY)
      .executeTakeFirstOrThrow()
    const [stored] = await this.#withPublications([row])
    if (!stored) throw new RangeError('a record was stored')
    return { record: stored, created: row.id === id }
  }

  async get(id: string): Promise<StoredRecord | undefined> {
    const row = await this.#db.query
      .selectFrom('records')
      .select(SUMMARY)
      .where('id', '=', id)
      .executeTakeFirst()
    return row && (await this.#withPublications([row]))[0]
  }

  /** Those of these ids that records have. */
  async existing(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const there = new Set<string>()
    // Engines bound the values of a statement.
    for (let at = 0; at < ids.length; at += IDS_AT_ONCE) {
      const rows = await this.#db.query
        .selectFrom('records')
        .select('id')
        .where('id', 'in', ids.slice(at, at + IDS_AT_ONCE))
        .execute()
      for (const { id } of rows) there.add(id)
    }
    return there
  }

  /** A record with its entries. */
  async read(id: string): Promise<{ record: StoredRecord; entries: RecordEntry[] } | undefined> {
    const row = await this.#db.query
      .selectFrom('records')
      .select([...SUMMARY, 'content'])
      .where('id', '=', id)
      .executeTakeFirst()
    const [record] = row ? await this.#withPublications([row]) : []
    return row && record && { record, entries: entriesIn(row.content) }
  }

  /** The entries of a record. */
  async content(id: string): Promise<RecordEntry[] | undefined> {
    const row = await this.#db.query
      .selectFrom('records')
      .select('content')
      .where('id', '=', id)
      .executeTakeFirst()
    return row && entriesIn(row.content)
  }

  /** One page of records, newest first, and the cursor of the next page where there is one. */
  async list(
    filter: RecordFilter,
    page: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<{ items: StoredRecord[]; next?: string }> {
    let query = this.#db.query.selectFrom('records').select(SUMMARY)
    if (filter.image !== undefined) query = query.where('image', '=', filter.image)
    if (filter.workload !== undefined) query = query.where('workload', '=', filter.workload)
    if (filter.digest !== undefined) query = query.where('digest', '=', filter.digest)
    for (const [key, value] of Object.entries(filter.labels ?? {})) {
      query = query.where(sql<SqlBool>`${this.#label(key)} = ${value}`)
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

  /** PostgreSQL keeps the JSON as text, too, and has to be told what it is. */
  #label(key: string) {
    return this.#db.engine === 'postgres' ? sql`labels::jsonb ->> ${key}::text` : sql`labels ->> ${key}`
  }

  /** Forgets a record and its publications, unless a job that is not finished will read it. */
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

  /** Notes where a record was published; the same place again is the newer publication. */
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

  /** Notes that a record image is gone. */
  async forgetPublication(reference: string, digest: Digest): Promise<void> {
    await this.#db.query
      .deleteFrom('publications')
      .where('reference', '=', reference)
      .where('digest', '=', digest)
      .execute()
  }

  async #withPublications(rows: readonly Summary[]): Promise<StoredRecord[]> {
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
      skipped: JSON.parse(row.skipped) as Skipped,
      notes: JSON.parse(row.notes) as ProfileNotes,
      ...(row.profiler !== '' && { profiler: row.profiler }),
      ...(row.profiler_version !== '' && { profilerVersion: row.profiler_version }),
      ...(row.provenance !== null && { provenance: JSON.parse(row.provenance) as Provenance }),
      createdAt: row.created_at,
      publications: publications
        .filter((one) => one.record_id === row.id)
        .map((one) => ({
          reference: one.reference,
          digest: one.digest as Digest,
          createdAt: one.created_at,
        })),
    }))
  }
}

type Summary = Pick<Selectable<RecordsTable>, (typeof SUMMARY)[number]>

function entriesIn(content: string): RecordEntry[] {
  const lines = content.split('\n').filter((line) => line !== '')
  return lines.map((line) => RecordEntry.parse(JSON.parse(line)))
}
