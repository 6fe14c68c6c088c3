import { type SelectQueryBuilder, type SqlBool, sql } from 'kysely'
import type { Database } from '../db/database.ts'
import { DEFAULT_PROJECT } from '../db/project-scope.ts'
import type { Tables } from '../db/tables.ts'
import type { TermFilter, TermQuery } from '../db/terms/term-query.ts'
import { wordsOf } from '../db/terms/words.ts'
import { isDigest } from '../oci/digest.ts'
import { formatReference, parseReference, type Reference } from '../oci/reference.ts'
import { profiledDigest, tryParseReference } from './profiled-digest.ts'
import type { Labels } from './stored-record.ts'

/** The properties of a record by which it is found. `image` and `workload` may be ''. */
type FoundRecord = {
  readonly project: string
  readonly image: string
  readonly workload: string
  readonly digest: string
  readonly labels: Labels
}

export type RecordFilter = {
  /**
   * A reference, or a digest. A digest counts more than a tag, and a tag more than the repository. Several are
   * the names of one image.
   */
  readonly image?: string | readonly string[] | undefined
  readonly workload?: string | undefined
  readonly digest?: string | undefined
  /** Only records with all of these labels. */
  readonly labels?: Labels | undefined
  /** The starts of words in image, workload and labels. */
  readonly text?: string | undefined
}

/** The term of every record. */
const ALL_RECORDS = term('all', '')

/**
 * Returns the terms of a record. Those that start with a project serve searches within it. A record of the default
 * project has only one of these, so that a broker without other projects stores no term twice.
 */
export function recordTerms({ project, ...record }: FoundRecord): string[] {
  const terms = termsOf(record)
  const own = project === DEFAULT_PROJECT ? [ALL_RECORDS] : terms
  return [...terms, ...own.map((one) => inProject(project, one))]
}

function termsOf({ image, workload, digest, labels }: Omit<FoundRecord, 'project'>): string[] {
  const named = tryParseReference(image)
  const profiled = profiledDigest(image, [])
  const words = wordsOf(named?.repository ?? image, named?.tag, workload, ...Object.values(labels))
  return [
    ALL_RECORDS,
    term('record', digest),
    ...(profiled === undefined ? [] : [term('image', profiled)]),
    ...(named ? namesOf(named).map((name) => term('image', name)) : []),
    ...(workload === '' ? [] : [term('workload', workload)]),
    ...Object.entries(labels).map(([name, value]) => term('label', `${name}=${value}`)),
    ...words.map((word) => term('word', word)),
  ]
}

/** Returns the query that finds the records of a project, or of all projects. */
export function recordQuery(
  filter: RecordFilter,
  project: string | undefined,
): Pick<TermQuery, 'all' | 'filters'> {
  const filters = recordFilters(filter)
  if (project === undefined) return { all: ALL_RECORDS, filters }
  const all = inProject(project, ALL_RECORDS)
  if (project === DEFAULT_PROJECT) return { all, filters: [...filters, { anyOf: [all] }] }
  return { all, filters: filters.map((one) => filterInProject(project, one)) }
}

function filterInProject(project: string, filter: TermFilter): TermFilter {
  return 'prefix' in filter
    ? { prefix: inProject(project, filter.prefix) }
    : { anyOf: filter.anyOf.map((one) => inProject(project, one)) }
}

/** A term within a project. No other term has a slash before its first space. */
function inProject(project: string, text: string): string {
  return `${project}/${text}`
}

/** Returns the filters that select records by their terms. */
function recordFilters({ image, workload, digest, labels, text }: RecordFilter): TermFilter[] {
  const exact = [
    ...(workload === undefined ? [] : [term('workload', workload)]),
    ...(digest === undefined ? [] : [term('record', digest)]),
    ...Object.entries(labels ?? {}).map(([name, value]) => term('label', `${name}=${value}`)),
  ]
  const words = wordsOf(text).map((word) => ({ prefix: term('word', word) }))
  const images = [image ?? []].flat().map((name) => term('image', mostExactName(name)))
  return [
    ...(images.length === 0 ? [] : [{ anyOf: [...new Set(images)] }]),
    ...exact.map((one) => ({ anyOf: [one] })),
    ...words,
  ]
}

function term(kind: 'all' | 'record' | 'image' | 'workload' | 'label' | 'word', value: string): string {
  return `${kind} ${value}`
}

function mostExactName(image: string): string {
  if (isDigest(image)) return image
  const reference = parseReference(image)
  return reference.digest ?? namesOf(reference).at(-1) ?? image
}

/** The names that an image is found by: its repository, and that with the tag. */
export function namesOf({ host, repository, tag }: Reference): string[] {
  const location = formatReference({ host, repository })
  return tag === undefined ? [location] : [location, `${location}:${tag}`]
}

type RecordQuery<Row> = SelectQueryBuilder<Tables, 'records', Row>

/**
 * Selects records by their columns, which reads all of them. It serves until the records of earlier releases have
 * their terms.
 */
export function filterColumns<Row>(
  query: RecordQuery<Row>,
  engine: Database['engine'],
  { image, workload, digest, labels, text }: RecordFilter,
): RecordQuery<Row> {
  let filtered = query
  if (image !== undefined)
    filtered = filtered.where(sql<SqlBool>`(${sql.join([image].flat().map(namesImage), sql` or `)})`)
  if (workload !== undefined) filtered = filtered.where('workload', '=', workload)
  if (digest !== undefined) {
    filtered = filtered.where(sql<SqlBool>`(digest = ${digest} or digest = project || ' ' || ${digest})`)
  }
  for (const [key, value] of Object.entries(labels ?? {})) {
    // PostgreSQL needs casts, because the column contains the JSON as text.
    const label = engine === 'postgres' ? sql`labels::jsonb ->> ${key}::text` : sql`labels ->> ${key}`
    filtered = filtered.where(sql<SqlBool>`${label} = ${value}`)
  }
  for (const word of wordsOf(text)) {
    filtered = filtered.where(
      sql<SqlBool>`lower(image || ' ' || workload || ' ' || labels) like ${`%${word}%`}`,
    )
  }
  return filtered
}

function namesImage(image: string) {
  const name = mostExactName(image)
  const ends = isDigest(name) ? [`%@${name}`] : []
  const starts = isDigest(name)
    ? []
    : name.endsWith(`:${parseReference(name).tag}`)
      ? [`${name}@`]
      : [`${name}:`, `${name}@`]
  const conditions = [
    sql<SqlBool>`image = ${name}`,
    ...ends.map((end) => sql<SqlBool>`image like ${end}`),
    ...starts.map((start) => sql<SqlBool>`substr(image, 1, ${sql.lit(start.length)}) = ${start}`),
  ]
  return sql<SqlBool>`(${sql.join(conditions, sql` or `)})`
}
