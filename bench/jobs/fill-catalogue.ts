import { sql } from 'kysely'
import { formatDocument } from '../../src/catalogue/image-document.ts'
import { termsOf } from '../../src/catalogue/terms.ts'
import type { Database } from '../../src/db/database.ts'
import { newId } from '../../src/db/new-id.ts'
import { DEFAULT_PROJECT } from '../../src/db/project-scope.ts'
import { itemId } from '../../src/db/terms/item-id.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { HostNames } from '../../src/oci/host-names.ts'
import { recordTerms } from '../../src/records/record-terms.ts'

const BATCH = 500
const ROWS_PER_INSERT = 2000
const FIRST_MS = Date.UTC(2026, 0, 1)
export const REPOSITORIES = 1000
export const WORKLOADS = 50

/** The name of the profiled image of a record image, and that of its repository. */
export const repositoryOf = (n: number) => `registry.test/team/app-${n % REPOSITORIES}`
export const imageOf = (n: number) => `${repositoryOf(n)}:1.${Math.floor(n / REPOSITORIES)}`
export const subjectOf = (n: number) => digestOf(`image ${n}`)
export const timeOf = (n: number) => FIRST_MS + n * 60_000

/** Stores record images, and as many records, as the broker does: one a minute, newest last. */
export async function fillCatalogue(database: Database, count: number): Promise<void> {
  for (let start = 0; start < count; start += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, count - start) }, (_, n) => start + n)
    await fillRecordImages(database, numbers)
    await fillRecords(database, numbers)
  }
  // As the autovacuum of PostgreSQL does after some minutes.
  await sql.raw(database.engine === 'postgres' ? 'vacuum analyze' : 'analyze').execute(database.query)
}

async function fillRecordImages({ query }: Database, numbers: readonly number[]): Promise<void> {
  const names = new HostNames([])
  const images = numbers.map((n) => {
    const [, repository = ''] = /^registry\.test\/(.*)$/.exec(repositoryOf(n)) ?? []
    const reference = {
      host: 'registry.test',
      repository,
      tag: `record-1.${Math.floor(n / REPOSITORIES)}-w${n % WORKLOADS}`,
    }
    const name = `${repositoryOf(n)}:${reference.tag}`
    const digest = digestOf(`record ${n}`)
    const content = {
      kind: 'record' as const,
      digest,
      size: 6000 + (n % 1000),
      createdAt: new Date(timeOf(n)).toISOString(),
      image: imageOf(n),
      workload: `w${n % WORKLOADS}`,
      profiler: 'strace',
      subject: subjectOf(n),
      annotations: { 'io.record-broker.record.entries': '214', 'org.opencontainers.image.created': 'x' },
      entryCount: 214,
    }
    const labels = { commit: String(n), branch: n % 3 === 0 ? 'main' : 'feature' }
    const publishedFrom = [{ project: DEFAULT_PROJECT, recordId: `record-${n}`, labels }]
    return { id: itemId(timeOf(n), name), name, reference, digest, content, publishedFrom }
  })
  const rows = images.map(({ id, name, reference, digest, content, publishedFrom }) => ({
    id,
    reference: name,
    location: `${reference.host}/${reference.repository}`,
    tag: reference.tag,
    digest,
    kind: 'record' as const,
    is_read: 1,
    document: formatDocument(content, publishedFrom),
    seen_at: FIRST_MS,
    compared_at: FIRST_MS,
  }))
  await query.insertInto('catalogue_images').values(rows).execute()
  const terms = images.flatMap((image) => termsOf(image, names).map((term) => ({ term, item: image.id })))
  await fillTerms(query, 'catalogue_image_terms', terms)
}

async function fillRecords({ query }: Database, numbers: readonly number[]): Promise<void> {
  const rows = numbers.map((n) => ({
    id: newId(),
    digest: digestOf(`record file ${n}`),
    image: imageOf(n),
    workload: `w${n % WORKLOADS}`,
    labels: JSON.stringify({ commit: String(n), branch: n % 3 === 0 ? 'main' : 'feature' }),
    format: 'strace',
    entries: 214,
    paths: 210,
    content: '{"path":"usr/bin/app"}\n',
    created_at: timeOf(n),
    provenance: null,
  }))
  await query.insertInto('records').values(rows).execute()
  const terms = rows.flatMap((row) =>
    recordTerms({ ...row, project: DEFAULT_PROJECT, labels: JSON.parse(row.labels) }).map((term) => ({
      term,
      item: row.id,
    })),
  )
  await fillTerms(query, 'record_terms', terms)
}

async function fillTerms(
  query: Database['query'],
  table: 'catalogue_image_terms' | 'record_terms',
  terms: readonly { readonly term: string; readonly item: string }[],
): Promise<void> {
  for (let start = 0; start < terms.length; start += ROWS_PER_INSERT) {
    const some = terms.slice(start, start + ROWS_PER_INSERT)
    await query
      .insertInto(table)
      .values(some)
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }
}
