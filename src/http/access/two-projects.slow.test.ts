import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeDatabases, temporarySqlite } from '../../../test/support/databases.ts'
import { CANARY, type ProjectSeeds, seedProject } from '../../../test/support/project-seeds.ts'
import { type Credential, OPERATOR, SharedBroker } from '../../../test/support/shared-broker.ts'

const UNKNOWN_ID = '019ab000-0000-7000-8000-000000000000'
const OTHER_UNKNOWN_ID = '019ab000-0000-7000-8000-000000000001'
const UNKNOWN_DIGEST = `sha256:${'0'.repeat(64)}`

/** An operation of the document, which the server writes from its routes. */
type Operation = {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly query: readonly string[]
  readonly hasBody: boolean
  readonly isStream: boolean
}

/** What belongs to the other project, and what does not exist, for one place of a request. */
type Pair = { readonly foreign: string; readonly missing: string }
type Side = keyof Pair
type Body = (pick: (pair: Pair) => string) => string | object

async function operationsOf({ api }: SharedBroker): Promise<Operation[]> {
  const { paths } = (await api.app.inject('/openapi.json')).json()
  return Object.entries<Record<string, never>>(paths).flatMap(([path, methods]) =>
    Object.entries<{
      operationId: string
      parameters?: { name: string; in: string }[]
      requestBody?: unknown
      responses: Record<string, { content?: object }>
    }>(methods).map(([method, { operationId, parameters = [], requestBody, responses }]) => ({
      name: operationId,
      method,
      path,
      query: parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name),
      hasBody: requestBody !== undefined,
      isStream: Object.keys(responses[200]?.content ?? {}).includes('text/event-stream'),
    })),
  )
}

/** What a caller of another project can name of a project, and what does not exist in its place. */
class Places {
  readonly #seeds: ProjectSeeds
  readonly #own: string
  readonly record: Pair
  readonly image: Pair
  readonly recordImage: Pair
  readonly repository: Pair = { foreign: `${CANARY}/app`, missing: `${CANARY}/non` }

  constructor(seeds: ProjectSeeds, own: string) {
    this.#seeds = seeds
    this.#own = own
    this.record = this.#id('records')
    this.image = { foreign: seeds.image, missing: seeds.image.replace('/app:', '/non:') }
    this.recordImage = { foreign: seeds.recordImage, missing: seeds.recordImage.replace('/app:', '/non:') }
  }

  #id(resource: string): Pair {
    const foreign = this.#seeds.ids[resource]
    if (foreign === undefined) throw new Error(`seed one of ${resource}, so that this test covers it`)
    return { foreign, missing: UNKNOWN_ID }
  }

  /** The values of a parameter of a path, which depend on the resource. A new resource has to be seeded. */
  ofPath(path: string): Pair {
    const [, , resource = ''] = path.split('/')
    if (resource === 'images') return this.image
    if (resource === 'record-images') return this.recordImage
    if (resource === 'projects') return { foreign: 'alpha', missing: 'gamma' }
    if (resource === 'registry-credentials')
      return { foreign: `${CANARY}.example`, missing: 'nothing-at.example' }
    return this.#id(resource)
  }

  /** The values of a parameter of a query; undefined if it names nothing. */
  ofQuery(name: string): Pair | undefined {
    const pairs: Readonly<Record<string, Pair>> = {
      image: this.image,
      source: this.image,
      reference: { foreign: `${this.image.foreign}-esgz`, missing: `${this.image.missing}-esgz` },
      target: { foreign: `${this.image.foreign}-esgz`, missing: `${this.image.missing}-esgz` },
      repository: this.repository,
      workload: { foreign: `${CANARY}-workload`, missing: 'nothing-at-workload' },
      digest: { foreign: this.#seeds.digest, missing: UNKNOWN_DIGEST },
      batch: this.#id('conversion-batches'),
      text: { foreign: CANARY, missing: 'nothing-at' },
      label: { foreign: `team=${CANARY}`, missing: 'team=nothing-at' },
    }
    const pair = pairs[name]
    if (pair || NAMES_NOTHING.includes(name)) return pair
    throw new Error(`say in this test what the parameter ${name} names`)
  }

  /** The body of an operation that has one. */
  bodyOf(operation: string): Body {
    const { record, image, recordImage } = this
    const own = this.#own
    const conversion: Body = (pick) => ({ source: pick(image), target: `${own}-esgz` })
    const withRecord: Body = (pick) => ({ source: own, target: `${own}-esgz`, record: { id: pick(record) } })
    const rule: Body = (pick) => ({
      name: 'beta',
      source: '127.0.0.1:1/beta/**',
      target: `${pick(image)}-esgz`,
    })
    const bulk: Body = (pick) => ({ source: pick(image) })
    const bodies: Readonly<Record<string, Body>> = {
      uploadRecord: () => '/usr/bin/of-beta\n',
      evaluateRecord: () => ({ image: own }),
      mergeRecords: (pick) => ({ records: [pick(record), OTHER_UNKNOWN_ID], strategy: 'union' }),
      retargetRecord: () => ({ image: own }),
      publishRecord: (pick) => ({ reference: pick(recordImage) }),
      applyRetention: () => ({ rules: { keepNewest: 1 } }),
      createConversion: conversion,
      createBatch: (pick) => ({ conversions: [withRecord(pick)] }),
      cancelConversions: bulk,
      retryConversions: bulk,
      createRule: rule,
      replaceRule: rule,
      createVerification: (pick) => ({ reference: pick(image) }),
      cancelVerifications: (pick) => ({ reference: pick(image) }),
      retryVerifications: (pick) => ({ reference: pick(image) }),
      hookDistribution: (pick) => ({ events: [push(pick(image))] }),
      hookHarbor: (pick) => ({
        type: 'PUSH_ARTIFACT',
        event_data: { resources: [{ resource_url: pick(image), digest: UNKNOWN_DIGEST }] },
      }),
      hookCloudEvents: (pick) => ({
        specversion: '1.0',
        id: '1',
        source: 'zot',
        type: 'zotregistry.image.updated',
        data: { name: pick(image), reference: '1.0', digest: UNKNOWN_DIGEST },
      }),
      createToken: () => ({ name: 'beta', project: 'alpha', scopes: ['records:read'] }),
      rotateToken: () => ({}),
      putProject: () => ({ read: ['**'], write: ['**'] }),
      putRegistryCredential: () => ({ username: 'beta', password: 'beta' }),
    }
    const body = bodies[operation]
    if (!body) throw new Error(`add a body of ${operation} to this test`)
    return body
  }
}

/** Parameters that name nothing of a project. */
const NAMES_NOTHING = [
  ...[
    'limit',
    'cursor',
    'format',
    'interval',
    'from',
    'to',
    'days',
    'fresh',
    'state',
    'kind',
    'type',
    'verified',
  ],
  ...['createdFrom', 'createdBefore', 'finishedFrom', 'finishedBefore', 'seenFrom', 'seenBefore'],
  ...['workingDirectory', 'root', 'exclude', 'profiler', 'profilerVersion', 'publish', 'overwrite', 'host'],
  // Only administrators may name a project, see below; the log and the tokens are for them alone.
  ...['project', 'registry', 'since', 'until', 'subject', 'action', 'outcome', 'name'],
]

function push(reference: string) {
  const [host = '', ...path] = reference.split('/')
  const [repository = '', tag = ''] = path.join('/').split(':')
  return { action: 'push', target: { repository, tag, digest: UNKNOWN_DIGEST }, request: { host } }
}

describeDatabases('two projects that share a broker', (open) => {
  let broker: SharedBroker
  let seeds: ProjectSeeds
  let places: Places
  let operations: Operation[]
  let before: unknown

  beforeAll(async () => {
    broker = await SharedBroker.open(
      { alpha: [`HOST/${CANARY}/**`], beta: ['HOST/beta/**', 'HOST/record-broker/beta/**'] },
      { open },
    )
    seeds = await seedProject(broker, 'alpha')
    places = new Places(seeds, `${broker.api.host}/beta/app:1.0`)
    operations = await operationsOf(broker)
    before = await everythingOf('alpha')
  })
  afterAll(() => broker[Symbol.asyncDispose]())

  /** What an administrator sees of a project. */
  async function everythingOf(project: string) {
    const operator = { authorization: `Bearer ${OPERATOR}`, 'record-broker-project': project }
    const lists = operations.filter(
      ({ method, path, isStream }) =>
        method === 'get' && path.startsWith('/v1/') && !path.includes('{') && !isStream,
    )
    const shown: Record<string, unknown> = {}
    for (const { path } of lists.filter((list) => !/audit|series|caller|image-relations/.test(list.path))) {
      const { status, text } = await broker.send(operator, 'GET', path)
      // The last use of a token is written some time after it.
      shown[path] = [status, JSON.parse(text, (key, value) => (key === 'usedAt' ? undefined : value))]
    }
    return shown
  }

  /** Sends an operation with what belongs to the other project, and with what does not exist. */
  async function compare(credential: Credential, operation: Operation, parameters: readonly string[]) {
    const { name, method, path, hasBody } = operation
    const body = hasBody ? places.bodyOf(name) : undefined
    const used: Pair[] = [places.record, places.image, places.recordImage, places.repository]
    const send = (side: Side) => {
      const pick = (pair: Pair) => {
        used.push(pair)
        return pair[side]
      }
      const filled = path.replaceAll(/\{\w+\}/g, () => pick(places.ofPath(path)))
      const query = parameters.flatMap((parameter) => {
        const pair = places.ofQuery(parameter)
        return pair ? [[parameter, pick(pair)]] : []
      })
      const url = `${filled}?${new URLSearchParams(query)}`
      return broker.sendRepeatedly(credential, method, url, { body: body?.(pick) })
    }
    const missing = await send('missing')
    const foreign = await send('foreign')
    const neutral = (text: string) =>
      used
        .reduce(
          (result, pair) => result.replaceAll(pair.foreign, 'NAMED').replaceAll(pair.missing, 'NAMED'),
          text,
        )
        .replaceAll(/"requestId":"[^"]*"/g, '')
    const outcome = ({ status, text, headers, statements, registryRequests }: typeof foreign) => ({
      status,
      text: neutral(text),
      headers: JSON.parse(neutral(JSON.stringify(headers))),
      statements,
      registryRequests,
    })
    expect(JSON.stringify(outcome(foreign))).toBe(JSON.stringify(outcome(missing)))
    expect(neutral(foreign.text)).not.toContain(CANARY)
    expect(neutral(foreign.text)).not.toContain(seeds.digest)
    for (const id of Object.values(seeds.ids)) expect(neutral(foreign.text)).not.toContain(id)
  }

  for (const kind of ['token', 'workload', 'session'] as const) {
    it(`respond to a ${kind} about what is foreign as about what is missing`, async () => {
      const credential = broker.credentialsOf('beta')[kind]
      const finite = operations.filter(({ isStream, path }) => !isStream || path.includes('{'))
      expect(finite.length).toBeGreaterThan(60)
      const failures: unknown[] = []
      for (const operation of finite) {
        // What a caller uploads is its own, whatever it is called.
        const query = operation.name === 'uploadRecord' ? ['image'] : operation.query
        // Each parameter alone, too: several filters together may find nothing for another reason.
        for (const parameters of [[], query, ...query.map((name) => [name])]) {
          await compare(credential, operation, parameters).catch((error: Error) => {
            failures.push(`${operation.name} (${parameters.join(', ')}): ${error.message}`)
          })
        }
      }
      expect(failures).toEqual([])
    })
  }

  it('leave what the other has as it was', async () => {
    expect(await everythingOf('alpha')).toEqual(before)
  })

  it('may not name the project of another', async () => {
    const { token } = broker.credentialsOf('beta')
    const named = await broker.send(token, 'GET', '/v1/records', {
      headers: { 'record-broker-project': 'alpha' },
    })
    const unknown = await broker.send(token, 'GET', '/v1/records', {
      headers: { 'record-broker-project': 'gamma' },
    })
    expect(named.status).toBe(403)
    expect(unknown.status).toBe(403)
  })

  it('never see a response under an idempotency key of the other', async () => {
    const headers = { 'idempotency-key': 'the-same-key' }
    const create = (project: string, repository: string) =>
      broker.send(broker.credentialsOf(project).token, 'POST', '/v1/conversions', {
        headers,
        body: {
          source: `${broker.api.host}/${repository}:1.0`,
          target: `${broker.api.host}/${repository}:key-esgz`,
        },
      })
    const first = await create('alpha', `${CANARY}/app`)
    const second = await create('beta', 'beta/app')
    expect([first.status, second.status]).toEqual([202, 202])
    expect(second.text).not.toContain(CANARY)
  })

  it('receive events of their own jobs only', async () => {
    const address = await broker.listen()
    const stop = new AbortController()
    const { token } = broker.credentialsOf('beta')
    const response = await fetch(`${address}/v1/events`, {
      headers: { ...token, accept: 'text/event-stream' },
      signal: stop.signal,
    })
    expect(response.status).toBe(200)
    const convert = (project: string, repository: string, tag: string) =>
      broker.send(broker.credentialsOf(project).token, 'POST', '/v1/conversions', {
        body: {
          source: `${broker.api.host}/${repository}:1.0`,
          target: `${broker.api.host}/${repository}:${tag}`,
        },
      })
    await convert('alpha', `${CANARY}/app`, 'event')
    const own = JSON.parse((await convert('beta', 'beta/app', 'event')).text)
    let received = ''
    for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      received += text
      if (received.includes(own.id)) break
    }
    stop.abort()
    expect(received).not.toContain(CANARY)
    expect(
      [...received.matchAll(/"jobId":"([^"]+)"|"id":"([^"]+)"/g)].flatMap(([, a, b]) => [a ?? b]),
    ).not.toContain(seeds.ids.conversions)
  })
})

describe('the embedded registry that two projects share', () => {
  let broker: SharedBroker
  beforeAll(async () => {
    broker = await SharedBroker.open(
      { alpha: [`embedded/${CANARY}/**`], beta: ['embedded/beta/**'] },
      { open: temporarySqlite },
    )
  })
  afterAll(() => broker[Symbol.asyncDispose]())

  it('responds about a repository of another as about one that does not exist', async () => {
    const address = await broker.listen()
    const blob = 'content of alpha'
    const digest = `sha256:${createHash('sha256').update(blob).digest('hex')}`
    const alpha = broker.credentialsOf('alpha').token
    const pushed = await fetch(`${address}/v2/${CANARY}/app/blobs/uploads/?digest=${digest}`, {
      method: 'POST',
      headers: { ...alpha, 'content-type': 'application/octet-stream' },
      body: blob,
    })
    expect(pushed.status).toBe(201)
    const places = (repository: string) => [
      ['GET', `/v2/${repository}/blobs/${digest}`],
      ['HEAD', `/v2/${repository}/blobs/${digest}`],
      ['DELETE', `/v2/${repository}/blobs/${digest}`],
      ['GET', `/v2/${repository}/manifests/1.0`],
      ['PUT', `/v2/${repository}/manifests/1.0`],
      ['GET', `/v2/${repository}/tags/list`],
      ['GET', `/v2/${repository}/referrers/${digest}`],
      ['POST', `/v2/${repository}/blobs/uploads/`],
    ]
    const beta = broker.credentialsOf('beta').token
    for (const [i, [method = '', url = '']] of places(`${CANARY}/app`).entries()) {
      const [, other = ''] = places(`${CANARY}/non`)[i] ?? []
      const [foreign, missing] = [
        await broker.send(beta, method, url),
        await broker.send(beta, method, other),
      ]
      const neutral = (text: string) =>
        text.replaceAll(`${CANARY}/app`, 'NAMED').replaceAll(`${CANARY}/non`, 'NAMED')
      expect([method, url, foreign.status, neutral(foreign.text)]).toEqual([
        method,
        url,
        missing.status,
        neutral(missing.text),
      ])
      expect(foreign.status).toBeGreaterThanOrEqual(400)
    }
    const mounted = await broker.send(
      beta,
      'POST',
      `/v2/beta/app/blobs/uploads/?mount=${digest}&from=${CANARY}/app`,
    )
    expect(mounted.status).toBe(202)
    expect((await broker.send(beta, 'HEAD', `/v2/beta/app/blobs/${digest}`)).status).toBe(404)
    expect((await broker.send(beta, 'GET', '/v2/_catalog')).text).not.toContain(CANARY)
  })
})
