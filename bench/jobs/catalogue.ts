import type { Database } from '../../src/db/database.ts'
import {
  fillCatalogue,
  imageOf,
  REPOSITORIES,
  repositoryOf,
  subjectOf,
  timeOf,
  WORKLOADS,
} from './fill-catalogue.ts'
import { CLIENTS, load, print } from './load.ts'

const REQUESTS = 500

/** Measures the listings of record images and of records, with this many of each stored. */
export async function measureCatalogue(
  database: Database,
  count: number,
  send: (path: string) => Promise<void>,
): Promise<void> {
  const { engine } = database
  const startedAt = performance.now()
  await fillCatalogue(database, count)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0)
  process.stdout.write(
    `${engine}: ${count} record images and records stored in ${seconds} s, ${CLIENTS} clients\n`,
  )
  const spread = (n: number) => Math.floor((n * count) / REQUESTS)
  const day = (n: number) => new Date(timeOf(spread(n))).toISOString()
  const filters: Record<string, (n: number) => string> = {
    '': () => '',
    '?repository=': (n) => `&repository=${repositoryOf(n % REPOSITORIES)}`,
    '?image= by tag': (n) => `&image=${imageOf(spread(n))}`,
    '?image= by digest': (n) => `&image=${subjectOf(spread(n))}`,
    '?workload=': (n) => `&workload=w${n % WORKLOADS}`,
    '?label= of a third': () => '&label=branch=main',
    '?label= of one': (n) => `&label=commit=${spread(n)}`,
    '?text= of all': () => '&text=app',
    '?text= two words': (n) => `&text=app%20${n % REPOSITORIES}`,
    '?text= a prefix of many words': (n) => `&text=${(n % 9) + 1}`,
    '?text= of none': (n) => `&text=nothing${n}`,
    '?createdFrom=&createdBefore=': (n) => `&createdFrom=${day(n)}&createdBefore=${day(n + 5)}`,
    '?text=&workload=&createdFrom=': (n) =>
      `&text=app&workload=w${n % WORKLOADS}&createdFrom=${day(n % 400)}`,
  }
  for (const [name, query] of Object.entries(filters)) {
    const request = (n: number) => send(`/v1/record-images?limit=50${query(n)}`)
    print(engine, `GET /v1/record-images${name}`, await load(REQUESTS, request), true)
  }
  const later = (n: number) => send(`/v1/record-images?limit=50&cursor=${cursorAt(spread(n))}`)
  print(engine, 'GET /v1/record-images, later pages', await load(REQUESTS, later), true)
  for (const name of [
    '',
    '?image= by tag',
    '?workload=',
    '?label= of a third',
    '?text= of all',
    '?text= two words',
  ]) {
    const request = (n: number) => send(`/v1/records?limit=50${filters[name]?.(n) ?? ''}`)
    print(engine, `GET /v1/records${name}`, await load(REQUESTS, request), true)
  }
  const relations = (n: number) => send(`/v1/image-relations?image=${imageOf(spread(n))}`)
  print(engine, 'GET /v1/image-relations', await load(REQUESTS, relations), true)
}

/** The cursor behind a record image. */
function cursorAt(n: number): string {
  const id = `${timeOf(n).toString(16).padStart(12, '0')}-${'f'.repeat(12)}`
  return Buffer.from(JSON.stringify(['repository', id])).toString('base64url')
}
