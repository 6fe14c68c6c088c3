import { type Selectable, sql } from 'kysely'
import type { Database } from '../db/database.ts'
import { minIdAt, newId } from '../db/new-id.ts'
import { readScanState, writeScanState } from '../db/scan-progress.ts'
import type { RecordsTable } from '../db/tables.ts'
import { type ItemCount, TermIndex } from '../db/terms/term-index.ts'
import type { Digest } from '../oci/digest.ts'
import { HostNames } from '../oci/host-names.ts'
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
import { ALL_RECORDS, filterColumns, type RecordFilter, recordFilters, recordTerms } from './record-terms.ts'
import { parseNotes, parseProvenance } from './stored-documents.ts'
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

/** `from` and `before` bound the creation time, in milliseconds since 1970. */
export type RecordListRequest = RecordFilter & {
  readonly from?: number | undefined
  readonly before?: number | undefined
}

/** A page of records, newest first; `next` is the cursor of the next page. */
export type RecordPage = { readonly items: StoredRecord[]; readonly next?: string; readonly total: ItemCount }

/** The scan that adds the terms of records that earlier releases stored. */
const TERMS_SCAN = 'record-terms'
type TermsScan = { readonly after: string; readonly isComplete: boolean }
/** Records that are counted at most while they are selected by their columns. */
const COLUMN_COUNT_LIMIT = 1000

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
  readonly #names: HostNames
  readonly #terms: TermIndex
  /** Whether all records have their terms. */
  #hasAllTerms = false

  /** @param names the names of a registry, under which references mean the same image; default: there is none */
  constructor(database: Database, names = new HostNames([])) {
    this.#db = database
    this.#names = names
    this.#terms = new TermIndex(database, 'record_terms')
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
    const insert = this.#db.transaction(async (transaction) => {
      const row = await transaction
        .insertInto('records')
        .values({
          id,
          digest: recordDigest(record.entries),
          image: this.#names.preferredReference(record.image ?? ''),
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
      await this.#terms.put(transaction, row.id, recordTerms({ ...row, labels: JSON.parse(row.labels) }))
      return row
    })
    const row = await insert
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

  /** Returns a page of records, newest first. */
  async list(
    { from, before, image, ...others }: RecordListRequest,
    page: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<RecordPage> {
    // An image may have had another name when its record was stored.
    const images = [image ?? []].flat().flatMap((name) => this.#names.allReferences(name))
    const filter = { ...others, ...(images.length > 0 && { image: images }) }
    const range = {
      from: from === undefined ? undefined : minIdAt(from),
      below: before === undefined ? undefined : minIdAt(before),
    }
    if (!(await this.#isSearchable())) return this.#listByColumns(filter, range, page)
    const query = { all: ALL_RECORDS, filters: recordFilters(filter), ...range }
    const { ids, hasMore, total } = await this.#terms.find(query, page)
    const items = await this.#summaries(ids)
    const last = ids.at(-1)
    return { items, ...(hasMore && last !== undefined && { next: last }), total }
  }

  /**
   * Adds the terms of some records that earlier releases stored.
   * @returns false if all records have their terms
   */
  async indexTerms(limit: number): Promise<boolean> {
    const { after } = (await readScanState<TermsScan>(this.#db, TERMS_SCAN)) ?? { after: '' }
    return this.#db.transaction(async (transaction) => {
      const some = transaction
        .selectFrom('records')
        .select(['id', 'image', 'workload', 'digest', 'labels'])
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
      // SQLite has one writer at a time, so rows need no locks.
      const rows = await (this.#db.engine === 'postgres' ? some.forUpdate() : some).execute()
      for (const row of rows) {
        await this.#terms.put(transaction, row.id, recordTerms({ ...row, labels: JSON.parse(row.labels) }))
      }
      const isComplete = rows.length < limit
      const state: TermsScan = { after: rows.at(-1)?.id ?? after, isComplete }
      await writeScanState(transaction, TERMS_SCAN, state)
      return !isComplete
    })
  }

  async #isSearchable(): Promise<boolean> {
    if (!this.#hasAllTerms) {
      this.#hasAllTerms = (await readScanState<TermsScan>(this.#db, TERMS_SCAN))?.isComplete === true
    }
    return this.#hasAllTerms
  }

  async #listByColumns(
    filter: RecordFilter,
    { from, below }: { readonly from: string | undefined; readonly below: string | undefined },
    { after, limit }: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<RecordPage> {
    let query = filterColumns(this.#db.query.selectFrom('records'), this.#db.engine, filter)
    if (from !== undefined) query = query.where('id', '>=', from)
    if (below !== undefined) query = query.where('id', '<', below)
    const counted = query.select('id').limit(COLUMN_COUNT_LIMIT + 1)
    const { count } = await this.#db.query
      .selectFrom(counted.as('counted'))
      .select((select) => select.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    if (after !== undefined) query = query.where('id', '<', after)
    const rows = await query
      .select(SUMMARY_COLUMNS)
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute()
    const items = await this.#withPublications(rows.slice(0, limit))
    const last = items.at(-1)
    const isLowerBound = Number(count) > COLUMN_COUNT_LIMIT
    const total = { count: Math.min(Number(count), COLUMN_COUNT_LIMIT), isLowerBound }
    return { items, ...(rows.length > limit && last && { next: last.id }), total }
  }

  /** Returns records in the order of their ids; one that was deleted meanwhile is left out. */
  async #summaries(ids: readonly string[]): Promise<StoredRecord[]> {
    if (ids.length === 0) return []
    const rows = await this.#db.query
      .selectFrom('records')
      .select(SUMMARY_COLUMNS)
      .where('id', 'in', ids)
      .orderBy('id', 'desc')
      .execute()
    return this.#withPublications(rows)
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
}

type SummaryRow = Pick<Selectable<RecordsTable>, (typeof SUMMARY_COLUMNS)[number]>

function parseEntries(content: string): RecordEntry[] {
  const lines = content.split('\n').filter((line) => line !== '')
  return lines.map((line) => RecordEntry.parse(JSON.parse(line)))
}
