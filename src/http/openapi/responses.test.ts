import { createHash } from 'node:crypto'
import type { LightMyRequestResponse } from 'fastify'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { temporarySqlite } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import { RegistryApi } from '../../../test/support/registry-api.ts'
import { Caller } from '../../access/caller.ts'
import { RepositoryPatterns } from '../../access/repository-patterns.ts'
import { StorageFullError } from '../../bytes/storage-full-error.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import type { CallerSource } from '../access/caller-source.ts'
import type { Services } from '../services.ts'

const TOKEN = 'a-token-for-the-document'
/** The token of a caller with a rate limit. */
const LIMITED = 'a-token-with-a-limit'
const LIMITED_SOURCE: CallerSource = {
  identify: async (presented) =>
    presented.kind === 'bearer' && presented.secret === LIMITED
      ? new Caller({
          identity: { kind: 'token', subject: 'limited', tokenId: '1' },
          scopes: ['admin'],
          projectScope: ProjectScope.ALL,
          access: { read: [RepositoryPatterns.EVERYTHING], write: [RepositoryPatterns.EVERYTHING] },
        })
      : undefined,
}
const UNKNOWN_ID = '019ab000-0000-7000-8000-000000000000'

type Header = { required?: boolean }
type Response = { $ref?: string; headers?: Record<string, { $ref: string }> }
type Parameter = { $ref?: string; name?: string; in?: string }
type Operation = { security?: unknown[]; parameters?: Parameter[]; responses: Record<string, Response> }
type Document = {
  paths: Record<string, Record<string, Operation>>
  components: {
    headers: Record<string, Header>
    parameters: Record<string, Parameter>
    responses: Record<string, Response>
  }
}
type Sent = { readonly method: string; readonly path: string; readonly response: LightMyRequestResponse }
type Options = {
  readonly headers?: Record<string, string>
  readonly body?: object | string
  readonly id?: string
}

const stack = new AsyncDisposableStack()
let api: JobApi
let registry: RegistryApi
let document: Document
/** Every response that this file has received, by its place in the document. */
const sent: Sent[] = []

beforeAll(async () => {
  const database = await temporarySqlite()
  stack.defer(database.close)
  const limits = { requestsPerMinute: 1, wrongCredentialsPerMinute: 0, maxDelayMs: 0 }
  const options = { token: TOKEN, callerSources: [LIMITED_SOURCE], limits }
  api = stack.use(await JobApi.open(database, {}, options))
  registry = stack.use(await RegistryApi.open())
  document = JSON.parse(JSON.stringify(api.app.swagger())) as Document
  await sendUnsupportedMethods()
  await sendWithoutToken()
  await sendJobRequests(api.app)
  await sendTooMany(api.app)
  await sendRecordRequests(registry)
  await sendWhileBusy()
})
afterAll(() => stack.disposeAsync())

/** Sends a request to an operation of the document, and keeps the response. */
async function send(app: JobApi['app'], method: string, path: string, { headers, body, id }: Options = {}) {
  const url = path.replace(/\{(id|a|b|reference)\}/g, id ?? UNKNOWN_ID)
  const type = typeof body === 'string' ? 'text/plain' : 'application/json'
  const response = await app.inject({
    method: method.toUpperCase() as 'GET',
    url,
    headers: {
      // The other broker has no token.
      authorization: app === registry.app ? '' : `Bearer ${TOKEN}`,
      ...(body !== undefined && { 'content-type': type }),
      ...headers,
    },
    ...(body !== undefined && { payload: body }),
  })
  sent.push({ method, path: path.split('?', 1)[0] ?? '', response })
  return response
}

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  )

/** Sends each path a method that none has. */
async function sendUnsupportedMethods(): Promise<void> {
  for (const [path, methods] of Object.entries(document.paths)) {
    const response = await api.app.inject({
      method: 'PATCH',
      url: path.replace(/\{\w+\}/g, UNKNOWN_ID),
      headers: { authorization: `Bearer ${TOKEN}` },
    })
    for (const method of Object.keys(methods)) sent.push({ method, path, response })
  }
}

async function sendWithoutToken(): Promise<void> {
  for (const { method, path } of operations()) {
    await send(api.app, method, path, { headers: { authorization: '', 'content-type': 'application/json' } })
  }
}

async function sendJobRequests(app: JobApi['app']): Promise<void> {
  const conversion = { source: 'r.test/a:1', target: 'r.test/a:2' }
  const key = { 'idempotency-key': 'documented' }
  const created = await send(app, 'post', '/v1/conversions', {
    body: conversion,
    headers: { ...key, prefer: 'wait=0' },
  })
  const { id } = created.json()
  await send(app, 'post', '/v1/conversions', { body: conversion, headers: key })
  await send(app, 'post', '/v1/conversions', { body: { ...conversion, source: 'r.test/b:1' }, headers: key })
  await send(app, 'post', '/v1/conversions', { body: conversion })
  const shown = await send(app, 'get', '/v1/conversions/{id}', { id, headers: { prefer: 'wait=0' } })
  await send(app, 'get', '/v1/conversions/{id}', {
    id,
    headers: { 'if-none-match': String(shown.headers.etag) },
  })
  await send(app, 'get', '/v1/conversions/{id}', {})
  await send(app, 'get', '/v1/conversions?limit=0')
  await send(app, 'post', '/v1/conversions/{id}/cancel', { id, headers: { prefer: 'wait=0' } })
  await send(app, 'get', '/v1/conversions/{id}/events', { id, headers: { 'last-event-id': '2' } })
  await send(app, 'post', '/v1/conversions/{id}/cancel', { id })
  await send(app, 'post', '/v1/conversions/{id}/retry', { id, headers: { prefer: 'wait=0' } })
  await send(app, 'post', '/v1/conversions/{id}/retry', { id })
  await send(app, 'post', '/v1/conversions', { body: 'text' })
  await send(app, 'post', '/v1/conversion-batches', { body: { conversions: [conversion] } })
  const headers = { prefer: 'wait=0' }
  const verification = await send(app, 'post', '/v1/verifications', {
    body: { reference: 'r.test/a:2' },
    headers,
  })
  const waiting = { id: verification.json().id, headers }
  await send(app, 'get', '/v1/verifications/{id}', waiting)
  await send(app, 'post', '/v1/verifications/{id}/cancel', waiting)
  await send(app, 'post', '/v1/verifications/{id}/retry', waiting)
  // A list waits for nothing.
  await send(app, 'get', '/v1/verifications', { headers })
  const rule = { name: 'r', source: 'r.test/**', target: '{host}/{repository}:{tag}-esgz' }
  const { id: ruleId } = (await send(app, 'post', '/v1/rules', { body: rule })).json()
  await send(app, 'put', '/v1/rules/{id}', { id: ruleId, body: rule })
  await send(app, 'delete', '/v1/rules/{id}', { id: ruleId })
  for (const path of Object.keys(document.paths).filter(
    (name) => !name.includes('{') && !name.endsWith('/events'),
  )) {
    if (document.paths[path]?.get && !path.startsWith('/v1/record-images')) await send(app, 'get', path)
  }
}

/** Sends more requests than a caller may. */
async function sendTooMany(app: JobApi['app']): Promise<void> {
  const headers = { authorization: `Bearer ${LIMITED}` }
  await send(app, 'get', '/v1/conversions', { headers })
  await send(app, 'get', '/v1/conversions', { headers })
}

async function sendRecordRequests({ app, host }: RegistryApi): Promise<void> {
  const upload = `/v1/records?image=${host}/team/app:1.0&workload=serve`
  const { id } = (await send(app, 'post', upload, { body: '/usr/bin/app\n' })).json()
  await send(app, 'post', upload, { body: '/usr/bin/app\n', headers: { 'content-encoding': 'compress' } })
  const { id: other } = (await send(app, 'post', '/v1/records', { body: '/etc/passwd\n' })).json()
  const { reference } = (await send(app, 'post', '/v1/records/{id}/publications', { id, body: {} })).json()
  await send(app, 'get', '/v1/records/{id}/content', { id })
  await send(app, 'post', '/v1/records/merges', { body: { records: [id, other], strategy: 'union' } })
  await send(app, 'post', '/v1/records/{id}/retargets', { id, body: { image: `${host}/team/app:1.0` } })
  await send(app, 'post', '/v1/records/{id}/evaluations', { id, body: { image: `${host}/team/app:1.0` } })
  await send(app, 'get', '/v1/record-images')
  await send(app, 'get', '/v1/record-images/{reference}', { id: reference })
  await send(app, 'get', '/v1/images/{reference}', { id: `${host}/team/app:1.0` })
  await send(app, 'get', '/v1/images/{reference}', { id: `${host}/team/app:none` })
  await send(app, 'get', '/v1/images/{reference}', { id: '127.0.0.1:1/team/app:1.0' })
  await send(app, 'delete', '/v1/records/{id}', { id: other })
}

/** Meets a full disk, a full queue, and a request with the same key that is in progress. */
async function sendWhileBusy(): Promise<void> {
  const database = await temporarySqlite()
  stack.defer(database.close)
  const store = {
    create: () => Promise.reject(new StorageFullError('a disk')),
    // An error that names no time.
    listVersions: () =>
      Promise.reject(Object.assign(new Error('too many requests'), { code: 'RATE_LIMITED' })),
  }
  const failing = { in: () => store } as unknown as Services['rules']
  await using full = await JobApi.open(database, { maxQueued: 0, rules: failing }, { token: TOKEN })
  const rule = { name: 'r', source: 'r.test/**', target: '{host}/{repository}:{tag}-esgz' }
  await send(full.app, 'post', '/v1/rules', { body: rule })
  await send(full.app, 'get', '/v1/rules')
  await send(full.app, 'post', '/v1/conversions', {
    body: { source: 'r.test/a:1', target: 'r.test/a:2' },
  })
  // Another request with this key and the same content is in progress.
  const path = '/v1/records/{id}/publications'
  const request = `POST ${path.replace('{id}', UNKNOWN_ID)}\n{}`
  const fingerprint = createHash('sha256').update(request).digest('hex')
  await registry.services.idempotencyKeys.in(ProjectScope.ALL).claim('in-progress', fingerprint)
  await send(registry.app, 'post', path, {
    headers: { 'idempotency-key': 'in-progress' },
    body: {},
  })
}

/** The responses with a status, by their operations. */
const sentWith = (status: number) => sent.filter(({ response }) => response.statusCode === status)

it('sends 405 with the methods of the path that are in the document', () => {
  const paths = Object.entries(document.paths)
  for (const [path, methods] of paths) {
    const documented = Object.keys(methods).flatMap((name) =>
      name === 'get' ? ['GET', 'HEAD'] : [name.toUpperCase()],
    )
    const refused = sentWith(405).find((one) => one.path === path)
    const allowed = String(refused?.response.headers.allow).split(', ')
    expect([path, allowed]).toEqual([path, expect.arrayContaining(documented)])
  }
})

it('refuses every operation without the token, except those that are public', () => {
  const secured = operations().filter(({ operation }) => operation.security?.length !== 0)
  const place = ({ method, path }: { method: string; path: string }) => `${method} ${path}`
  expect(sentWith(401).map(place)).toEqual(secured.map(place))
  expect(operations().length - secured.length).toBe(2)
})

it('says when to come back', () => {
  const isSaid = ({ response }: Sent) => Number(response.headers['retry-after']) > 0
  for (const status of [503, 507]) {
    const temporary = sentWith(status).filter(({ path }) => path.startsWith('/v1/'))
    expect([status, temporary.length > 0, temporary.every(isSaid)]).toEqual([status, true, true])
  }
  // Most conflicts do not end by themselves.
  expect(sentWith(409).some(isSaid)).toBe(true)
})

it('sent the headers of the document, and no other', () => {
  const { headers, responses } = document.components
  const names = Object.keys(headers)
  const seen = new Set<string>()
  for (const { method, path, response } of sent) {
    const place = `${method} ${path} ${response.statusCode}`
    const declared = document.paths[path]?.[method]?.responses[response.statusCode]
    expect([place, declared]).toEqual([place, expect.anything()])
    const described = declared?.$ref ? responses[declared.$ref.split('/').at(-1) ?? ''] : declared
    const documented = Object.keys(described?.headers ?? {})
    const present = names.filter((name) => response.headers[name.toLowerCase()] !== undefined)
    for (const name of present) seen.add(name)
    expect([place, present.filter((name) => !documented.includes(name))]).toEqual([place, []])
    const missing = documented.filter((name) => headers[name]?.required && !present.includes(name))
    expect([place, missing]).toEqual([place, []])
  }
  expect([...seen].sort()).toEqual(names.toSorted())
})

it('reads the request headers of the document, and no other', async () => {
  const { parameters } = document.components
  const readBy = (name: string) =>
    operations()
      .filter(({ operation }) =>
        operation.parameters?.some(({ $ref = '', ...own }) => {
          const parameter = $ref ? parameters[$ref.split('/').at(-1) ?? ''] : own
          return parameter?.in === 'header' && parameter.name === name
        }),
      )
      .map(({ method, path }) => `${method} ${path}`)
  // An invalid key is refused wherever keys are read.
  const isRefused = async (method: string, path: string) => {
    const response = await api.app.inject({
      method: method.toUpperCase() as 'POST',
      url: path.replace(/\{\w+\}/g, UNKNOWN_ID),
      headers: {
        authorization: `Bearer ${TOKEN}`,
        'idempotency-key': 'with a space',
        'content-type': 'application/json',
      },
      ...(method !== 'get' && { payload: path === '/v1/records' ? '/usr/bin/app' : '{}' }),
    })
    return response.body !== '' && response.json().code === 'INVALID_IDEMPOTENCY_KEY'
  }
  const refusing: string[] = []
  for (const { method, path } of operations().filter((one) => !one.path.endsWith('/events'))) {
    if (path.startsWith('/v1/') && (await isRefused(method, path))) refusing.push(`${method} ${path}`)
  }
  expect(readBy('Idempotency-Key')).toEqual(refusing)
  const waiting = sent
    .filter(({ response }) => response.headers['preference-applied'] !== undefined)
    .map(({ method, path }) => `${method} ${path}`)
  expect(readBy('Prefer').toSorted()).toEqual([...new Set(waiting)].sort())
  expect(readBy('Last-Event-ID')).toEqual(
    operations().flatMap(({ method, path }) => (path.endsWith('/events') ? [`${method} ${path}`] : [])),
  )
})
