import { type Selectable, sql, type Transaction } from 'kysely'
import { countRows } from '../db/count-rows.ts'
import type { Database } from '../db/database.ts'
import { minIdAt } from '../db/new-id.ts'
import { DEFAULT_PROJECT, type ProjectScope } from '../db/project-scope.ts'
import { readScanState, writeScanState } from '../db/scan-progress.ts'
import type { RecordsTable, Tables } from '../db/tables.ts'
import { TermIndex } from '../db/terms/term-index.ts'
import type { ItemCount } from '../db/terms/term-query.ts'
import type { HostNames } from '../oci/host-names.ts'
import { SUMMARY_COLUMNS, withPublications } from './record-rows.ts'
import { filterColumns, type RecordFilter, recordQuery, recordTerms } from './record-terms.ts'
import { digestOfStored } from './stored-digest.ts'
import type { StoredRecord } from './stored-record.ts'

/** `from` and `before` bound the creation time, in milliseconds since 1970. */
export type RecordListRequest = RecordFilter & {
  readonly from?: number | undefined
  readonly before?: number | undefined
}

/** A page of records, newest first; `next` is the cursor of the next page. */
export type RecordPage = { readonly items: StoredRecord[]; readonly next?: string; readonly total: ItemCount }

const INDEXED_COLUMNS = ['id', 'project', 'image', 'workload', 'digest', 'labels'] as const
type IndexedRow = Pick<Selectable<RecordsTable>, (typeof INDEXED_COLUMNS)[number]>

/** The scan that adds the terms of records that earlier releases stored. */
const TERMS_SCAN = 'record-terms'
type TermsScan = { readonly after: string; readonly isComplete: boolean }
/** Records that are counted at most while they are selected by their columns. */
const COLUMN_COUNT_LIMIT = 1000

/** Finds records by their terms, and by their columns until all of them have their terms. */
export class RecordListing {
  readonly #db: Database
  readonly #names: HostNames
  readonly #terms: TermIndex
  /** Whether all records have their terms. */
  #hasAllTerms = false
  /** Whether records belong to projects other than the default one. */
  #isShared = false

  constructor(database: Database, names: HostNames) {
    this.#db = database
    this.#names = names
    this.#terms = new TermIndex(database, 'record_terms')
  }

  /** Returns a page of the records that a scope sees, newest first. */
  async list(
    { from, before, image, ...others }: RecordListRequest,
    page: { readonly after?: string | undefined; readonly limit: number },
    scope: ProjectScope,
  ): Promise<RecordPage> {
    // An image may have had another name when its record was stored.
    const images = [image ?? []].flat().flatMap((name) => this.#names.allReferences(name))
    const filter = { ...others, ...(images.length > 0 && { image: images }) }
    const range = {
      from: from === undefined ? undefined : minIdAt(from),
      below: before === undefined ? undefined : minIdAt(before),
    }
    if (!(await this.#isSearchable())) return this.#listByColumns(filter, range, page, scope)
    const query = { ...recordQuery(filter, await this.#searchedProject(scope)), ...range }
    const { ids, hasMore, total } = await this.#terms.find(query, page)
    const items = await this.#summaries(ids)
    const last = ids.at(-1)
    return { items, ...(hasMore && last !== undefined && { next: last }), total }
  }

  /** Replaces the terms of a record, within a transaction that holds its row. */
  async index(transaction: Transaction<Tables>, row: IndexedRow): Promise<void> {
    const record = { ...row, digest: digestOfStored(row.digest), labels: JSON.parse(row.labels) }
    await this.#terms.put(transaction, row.id, recordTerms(record))
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
        .select(INDEXED_COLUMNS)
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
      // SQLite has one writer at a time, so rows need no locks.
      const rows = await (this.#db.engine === 'postgres' ? some.forUpdate() : some).execute()
      for (const row of rows) await this.index(transaction, row)
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

  /** The project that a search is within; undefined for all, and if all records belong to that project. */
  async #searchedProject({ seesAll, project }: ProjectScope): Promise<string | undefined> {
    if (seesAll) return undefined
    if (project !== DEFAULT_PROJECT) return project
    this.#isShared ||= await this.#hasOtherProjects()
    return this.#isShared ? project : undefined
  }

  async #hasOtherProjects(): Promise<boolean> {
    // The first and the last entry of an index.
    const { rows } = await sql<{ first: string | null; last: string | null }>`
      select (select min(project) from records) as first, (select max(project) from records) as last`.execute(
      this.#db.query,
    )
    return [rows[0]?.first, rows[0]?.last].some((project) => (project ?? DEFAULT_PROJECT) !== DEFAULT_PROJECT)
  }

  async #listByColumns(
    filter: RecordFilter,
    { from, below }: { readonly from: string | undefined; readonly below: string | undefined },
    { after, limit }: { readonly after?: string | undefined; readonly limit: number },
    scope: ProjectScope,
  ): Promise<RecordPage> {
    const visible = this.#db.query.selectFrom('records').where(scope.condition())
    let query = filterColumns(visible, this.#db.engine, filter)
    if (from !== undefined) query = query.where('id', '>=', from)
    if (below !== undefined) query = query.where('id', '<', below)
    const count = await countRows(this.#db, query.select('id').limit(COLUMN_COUNT_LIMIT + 1))
    if (after !== undefined) query = query.where('id', '<', after)
    const rows = await query
      .select(SUMMARY_COLUMNS)
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute()
    const items = await withPublications(this.#db, rows.slice(0, limit))
    const last = items.at(-1)
    const total = { count: Math.min(count, COLUMN_COUNT_LIMIT), isLowerBound: count > COLUMN_COUNT_LIMIT }
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
    return withPublications(this.#db, rows)
  }
}
