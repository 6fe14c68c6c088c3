import { batchIdAt, idAt } from './fill.ts'
import { load, print } from './load.ts'

const REQUESTS = 500

type Stored = { readonly count: number; readonly startMs: number }

/** The requests of a dashboard, each by the path that its n-th request has. */
function requests({ count, startMs }: Stored): Record<string, (n: number) => string> {
  const conversions = (query: string) => `/v1/conversions?limit=50${query}`
  const time = (share: number) => new Date(startMs + Math.floor(count * share) * 10).toISOString()
  return {
    'GET /v1/conversions': () => conversions(''),
    'GET …?state=failed': () => conversions('&state=failed'),
    'GET …?state=failed&state=cancelled': () => conversions('&state=failed&state=cancelled'),
    'GET …?state=running': () => conversions('&state=running'),
    'GET …?source=': (n) => conversions(`&source=r.test/team/app${n % 50}:${n % 1000}`),
    'GET …?target=': (n) => conversions(`&target=r.test/team/app${n % 50}:${n % 100}-esgz`),
    'GET …?target= that is unknown': (n) => conversions(`&target=r.test/none:${n}`),
    'GET …?repository=': (n) => conversions(`&repository=r.test/team/app${n % 50}`),
    'GET …?repository=&state=failed': (n) => conversions(`&repository=r.test/team/app${n % 50}&state=failed`),
    'GET …?label= of half the conversions': () => conversions('&label=team%3Dx'),
    'GET …?label= of a thousand conversions': (n) =>
      conversions(`&label=pipeline%3D${String(n % Math.max(1, count / 1000)).padStart(9, '0')}`),
    'GET …?label=&state=failed': () => conversions('&label=team%3Dx&state=failed'),
    'GET …?batch=': () => conversions(`&batch=${batchIdAt(1)}`),
    'GET …?createdBefore=': (n) => conversions(`&createdBefore=${time((n + 1) / (REQUESTS + 1))}`),
    'GET …?finishedFrom=&finishedBefore=': (n) =>
      conversions(
        `&finishedFrom=${time(n / (REQUESTS + 1))}&finishedBefore=${time((n + 1) / (REQUESTS + 1))}`,
      ),
    'GET …?finishedBefore=&state=failed': (n) =>
      conversions(`&finishedBefore=${time((n + 1) / (REQUESTS + 1))}&state=failed`),
    'GET …, a page in the middle': (n) =>
      conversions(`&cursor=${idAt(startMs, Math.floor((count * (n + 1)) / (REQUESTS + 1)))}`),
    'GET /v1/conversions/counts': () => '/v1/conversions/counts',
    'GET /v1/conversions/series, 48 hours': () => '/v1/conversions/series',
    'GET /v1/conversions/series?interval=day, 30 days': () => '/v1/conversions/series?interval=day',
    'GET /v1/conversions/series, 14 days by the hour': () =>
      `/v1/conversions/series?from=${new Date(Date.now() - 14 * 86_400_000).toISOString()}`,
    'GET /v1/verifications?verified=false': () => '/v1/verifications?limit=50&verified=false',
    'GET /v1/conversion-batches': () => '/v1/conversion-batches?limit=50',
    'GET …?state=succeeded&label=': () => '/v1/conversion-batches?limit=50&state=succeeded&label=release%3D1',
  }
}

/** Measures listings, counts and series. */
export async function measureLists(
  engine: string,
  stored: Stored,
  send: (path: string) => Promise<void>,
): Promise<void> {
  for (const [name, path] of Object.entries(requests(stored))) {
    print(engine, name, await load(REQUESTS, (n) => send(path(n))), true)
  }
}
