import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GuardedBroker, OPERATOR_TOKEN } from '../../../test/support/guarded-broker.ts'
import { manifestBytes } from '../../../test/support/servers/test-registry.ts'
import { digestOf } from '../../oci/digest.ts'
import { OCI_MANIFEST } from '../../oci/media-types.ts'

const stack = new AsyncDisposableStack()
let broker: GuardedBroker
let a: string

beforeAll(async () => {
  broker = stack.use(await GuardedBroker.start())
  a = await broker.createToken('a', {
    scopes: ['registry:pull', 'registry:push', 'rules:write', 'conversions:read'],
  })
})
afterAll(() => stack.disposeAsync())

type Entry = { readonly [name: string]: unknown; readonly id: string; readonly count: number }

/** Sends requests, and returns what they add to the audit log, oldest first. */
async function audited(send: () => Promise<unknown>): Promise<Entry[]> {
  const before = await entries()
  await send()
  const known = new Set(before.map(({ id }) => id))
  return (await entries()).filter(({ id }) => !known.has(id)).toReversed()
}

async function entries(query = 'limit=500'): Promise<Entry[]> {
  // The event is recorded when the connection of the response has been written.
  await new Promise((resolve) => setImmediate(resolve))
  await broker.audit.flush()
  return (await broker.request('GET', `/v1/audit?${query}`, { token: OPERATOR_TOKEN })).json().items
}

const json = (body: object) => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})
const rule = { name: 'r', source: 'r.example/a/**', target: '{host}/{repository}:{tag}-esgz' }

describe('the audit log', () => {
  it('says who changed what, and how it ended', async () => {
    const [created, deleted, failed, ...others] = await audited(async () => {
      const response = await broker.request('POST', '/v1/rules', { token: a, ...json(rule) })
      expect(response.status).toBe(201)
      const { id } = response.json()
      await broker.request('GET', `/v1/rules/${id}`, { token: a })
      await broker.request('DELETE', `/v1/rules/${id}`, { token: a, headers: { 'x-request-id': 'mine' } })
      await broker.request('POST', '/v1/rules', { token: a, ...json({}) })
    })
    const caller = { kind: 'token', subject: 'token of a', tokenId: expect.any(String) }
    expect(created).toMatchObject({
      caller,
      project: 'a',
      action: 'createRule',
      method: 'POST',
      outcome: 'allowed',
      status: 201,
      resource: expect.stringMatching(/^[0-9a-f-]{36}$/),
      address: '127.0.0.1',
      count: 1,
    })
    expect(deleted).toMatchObject({
      action: 'deleteRule',
      resource: created?.resource,
      requestId: 'mine',
      status: 204,
    })
    expect(failed).toMatchObject({ action: 'createRule', outcome: 'failed', status: 400 })
    expect(others).toEqual([])
  })

  it('is about the project that a change concerns', async () => {
    const asOperator = (method: string, path: string, body?: object) =>
      broker.request(method, path, { token: OPERATOR_TOKEN, ...(body && json(body)) })
    const events = await audited(async () => {
      await asOperator('PUT', '/v1/projects/c', { read: ['r.example/c/**'] })
      const token = { name: 'ci', project: 'c', scopes: ['records:read'] }
      const { id } = (await asOperator('POST', '/v1/tokens', token)).json()
      const rotated = (await asOperator('POST', `/v1/tokens/${id}/rotation`, { overlapSeconds: 60 })).json()
      await asOperator('DELETE', '/v1/projects/c')
      for (const one of [id, rotated.id]) await asOperator('DELETE', `/v1/tokens/${one}`)
      await asOperator('DELETE', '/v1/projects/c')
    })
    const seen = events.map(({ action, project, status }) => [action, project, status])
    expect(seen).toEqual([
      ['putProject', 'c', 201],
      ['createToken', 'c', 201],
      ['rotateToken', 'c', 201],
      ['deleteProject', 'c', 409],
      ['revokeToken', 'c', 204],
      ['revokeToken', 'c', 204],
      ['deleteProject', 'c', 204],
    ])
    expect((await entries('project=c')).toReversed()).toEqual(events)
  })

  it('says what was refused', async () => {
    const refused = await audited(async () => {
      await broker.request('GET', '/v1/tokens', { token: a })
      await broker.request('GET', '/v1/rules')
      for (let times = 0; times < 3; times++) await broker.request('GET', '/v1/rules', { token: 'wrong' })
      await broker.request('GET', '/v1/rules/019ab000-0000-7000-8000-000000000000', { token: a })
      await broker.request('POST', '/v1/nowhere/s3cret', { token: 'wrong' })
    })
    expect(
      refused.map(({ action, outcome, status, count, caller, code }) => [
        action,
        outcome,
        status,
        count,
        (caller as { kind: string }).kind,
        code,
      ]),
    ).toEqual([
      ['listTokens', 'denied', 403, 1, 'token', 'ACCESS_DENIED'],
      ['listRules', 'denied', 401, 1, 'anonymous', 'UNAUTHORIZED'],
      ['getRule', 'failed', 404, 1, 'token', 'NOT_FOUND'],
      ['unknownRoute', 'denied', 401, 1, 'anonymous', 'UNAUTHORIZED'],
      ['listRules', 'denied', 401, 3, 'anonymous', 'UNAUTHORIZED'],
    ])
    expect(JSON.stringify(refused)).not.toContain('s3cret')
  })

  it('says what was pushed to and deleted from the embedded registry', async () => {
    const bytes = Buffer.from('{}')
    const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(bytes), size: 2 }
    const manifest = manifestBytes({ config, layers: [] })
    const digest = digestOf(manifest)
    const events = await audited(async () => {
      await broker.request('GET', '/v2/')
      await broker.request('POST', `/v2/a/app/blobs/uploads/?digest=${config.digest}`, {
        token: a,
        body: '{}',
      })
      const headers = { 'content-type': OCI_MANIFEST }
      const body = manifest as unknown as NonNullable<RequestInit['body']>
      await broker.request('PUT', '/v2/a/app/manifests/v1', { token: a, headers, body })
      await broker.request('GET', '/v2/a/app/manifests/v1', { token: a })
      await broker.request('GET', '/v2/a/app/manifests/none', { token: a })
      await broker.request('GET', '/v2/b/app/manifests/v1', { token: a })
      await broker.request('DELETE', `/v2/a/app/manifests/${digest}`, { token: a })
    })
    expect(
      events.map(({ action, repository, resource, status }) => [action, repository, resource, status]),
    ).toEqual([
      ['pushManifest', 'embedded/a/app', 'v1', 201],
      ['pullManifest', 'embedded/b/app', 'v1', 403],
      ['deleteManifest', 'embedded/a/app', digest, 202],
    ])
  })

  it('is filtered, and read as lines', async () => {
    const filtered = await entries('repository=embedded/a/app&action=pushManifest&outcome=allowed&limit=1')
    expect(filtered).toHaveLength(1)
    const all = await entries()
    const response = await fetch(new URL('/v1/audit', broker.url), {
      headers: { accept: 'application/x-ndjson', authorization: `Bearer ${OPERATOR_TOKEN}` },
    })
    expect(response.headers.get('content-type')).toBe('application/x-ndjson')
    const lines: Entry[] = []
    for await (const line of createInterface({ input: Readable.fromWeb(response.body as never) })) {
      lines.push(JSON.parse(line))
    }
    expect(lines).toEqual(all)
    const rest = await broker.request('GET', `/v1/audit?cursor=${lines[2]?.id}`, {
      token: OPERATOR_TOKEN,
      headers: { accept: 'application/x-ndjson' },
    })
    expect(
      rest.body
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(lines.slice(3))
  })

  it('is for administrators, and shows one project to those within it', async () => {
    expect((await broker.request('GET', '/v1/audit', { token: a })).status).toBe(403)
    await broker.request('POST', '/v1/rules', { token: OPERATOR_TOKEN, ...json(rule) })
    await entries()
    const within = await broker.request('GET', '/v1/audit?limit=500', {
      token: OPERATOR_TOKEN,
      headers: { 'record-broker-project': 'a' },
    })
    expect(new Set(within.json().items.map(({ project }: Entry) => project))).toEqual(new Set(['a']))
    expect((await broker.request('GET', '/v1/audit?outcome=none', { token: OPERATOR_TOKEN })).status).toBe(
      400,
    )
  })
})
