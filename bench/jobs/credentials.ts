import { randomBytes } from 'node:crypto'
import { KeyRing } from '../../src/access/key-ring.ts'
import { ApiTokens } from '../../src/access/tokens/api-tokens.ts'
import { ProjectScope } from '../../src/db/project-scope.ts'
import type { TestDatabase } from '../../test/support/databases.ts'
import { JobApi } from '../../test/support/job-api.ts'
import { load, print } from './load.ts'

const ROUNDS = 5
const CREATE_REQUESTS = 1_000
const LIST_REQUESTS = 500

/** Measures the same requests without a credential and with an API token, in turn. */
export async function measureCredentials(engine: string, opened: TestDatabase): Promise<void> {
  const { database } = opened
  await using tokens = new ApiTokens(database, { keys: new KeyRing([randomBytes(32)]) })
  const rights = {
    project: 'default',
    scopes: ['conversions:read', 'conversions:write'] as const,
    read: ['**'],
    write: ['**'],
  }
  const { secret } = await tokens
    .in(ProjectScope.ALL)
    .create(rights, { name: 'bench', createdBy: 'bench', lifetimeMs: undefined })
  await using api = await JobApi.open(opened, { maxQueued: 1_000_000, tokens })
  const url = await api.app.listen({ port: 0 })
  const callers: Readonly<Record<string, Record<string, string>>> = {
    'no credential': {},
    'an API token': { authorization: `Bearer ${secret}` },
  }
  const send = async (path: string, init: RequestInit) => {
    const response = await fetch(url + path, init)
    if (!response.ok) throw new Error(`${path} failed with ${response.status}: ${await response.text()}`)
    await response.arrayBuffer()
  }
  const measured = new Map<string, number[]>()
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [caller, headers] of Object.entries(callers)) {
      const post = (n: number) =>
        send('/v1/conversions', {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          body: JSON.stringify({
            source: 'r.test/new:1',
            target: `r.test/new:${caller.slice(0, 2)}${round}-${n}`,
          }),
        })
      const list = () => send('/v1/conversions?limit=50', { headers })
      for (const [action, result] of [
        ['POST /v1/conversions', await load(CREATE_REQUESTS, post)],
        ['GET /v1/conversions', await load(LIST_REQUESTS, list)],
      ] as const) {
        print(engine, `${action} with ${caller}`, result)
        const key = `${action} ${caller}`
        measured.set(key, [...(measured.get(key) ?? []), result.perSecond])
      }
    }
  }
  for (const action of ['POST /v1/conversions', 'GET /v1/conversions']) {
    const [without, withToken] = Object.keys(callers).map((caller) =>
      median(measured.get(`${action} ${caller}`) ?? []),
    )
    const ratio = (withToken ?? 0) / (without ?? 1)
    process.stdout.write(
      `${engine.padEnd(10)}${action}: an API token makes it ${ratio.toFixed(2)} of the throughput\n`,
    )
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
