import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { RegistryClient } from '../../src/registry/client.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { buildTar, dir, file } from '../support/images/build-tar.ts'
import { pushImage } from '../support/images/push-image.ts'
import { HttpServer, type RequestHandler } from '../support/servers/http-server.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** A secret that nothing else looks like. */
const canary = (name: string) => `canary${name}${randomBytes(12).toString('hex')}`

const basic = (secret: string) => `Basic ${Buffer.from(`user:${secret}`).toString('base64')}`

/** What a secret looks like in a text, also within a longer text in base64, whatever comes before it. */
function traces(secret: string): string[] {
  const encoded = [0, 1, 2].map((offset) => {
    const text = Buffer.from('x'.repeat(offset) + secret).toString('base64')
    // The characters at both ends depend on what is beside the secret.
    return text.slice(offset === 0 ? 0 : 4, -4)
  })
  return [secret, ...encoded, Buffer.from(secret).toString('hex')]
}

/** A registry that demands a password, and shows in its errors what it was sent. Blobs are behind a signed URL. */
function hostileRegistry(signature: string): RequestHandler {
  return ({ path, headers, url }, response) => {
    const echo = JSON.stringify({
      errors: [{ code: 'DENIED', message: `not with ${headers.authorization} at ${url}`, detail: headers }],
    })
    if (headers.authorization === undefined && !url.includes('X-Amz')) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end(echo)
    } else if (path.includes('/moved/')) {
      response.writeHead(307, { location: `/signed?X-Amz-Signature=${signature}` }).end()
    } else response.writeHead(403, { 'content-type': 'application/json' }).end(echo)
  }
}

/** Reads every file of a folder as one text. */
async function readAll(folder: string, except: readonly string[]): Promise<[string, string][]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && !except.includes(entry.name))
  return Promise.all(
    files.map(
      async ({ parentPath, name }): Promise<[string, string]> => [
        name,
        (await readFile(join(parentPath, name))).toString('latin1'),
      ],
    ),
  )
}

it('no secret is in a log, a response, an event, the database, the audit log or a metric', {
  timeout: 120_000,
}, async () => {
  await using folder = await temporaryFolder()
  const operator = canary('operator')
  const password = canary('password')
  const stored = canary('stored')
  const signature = canary('signature')
  const hook = canary('hook')
  const oidc = canary('oidc')
  const userinfo = canary('userinfo')
  const cookie = canary('cookie')
  const query = canary('query')
  const wrong = canary('wrong')
  const callback = randomBytes(32)
  const key = randomBytes(32)
  await using registry = await HttpServer.start(hostileRegistry(signature))
  await using other = await HttpServer.start(hostileRegistry(signature))
  const config = join(folder.path, 'docker')
  await mkdir(config)
  const auth = Buffer.from(`user:${password}`).toString('base64')
  await writeFile(join(config, 'config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }))
  const data = join(folder.path, 'data')
  await using broker = await BrokerProcess.start(data, {
    RECORD_BROKER_LOG_LEVEL: 'trace',
    // A busy test machine is no overload.
    RECORD_BROKER_MAX_DELAY_MS: '0',
    RECORD_BROKER_TOKEN: operator,
    RECORD_BROKER_SECRET_KEY: key.toString('base64'),
    RECORD_BROKER_DOCKER_CONFIG: join(config, 'config.json'),
    RECORD_BROKER_PLAIN_HTTP: `${registry.host},${other.host}`,
    RECORD_BROKER_REGISTRIES: `${registry.host},${other.host}`,
    RECORD_BROKER_HOOK_SECRET_DISTRIBUTION: hook,
    RECORD_BROKER_CALLBACK_SECRET: `whsec_${callback.toString('base64')}`,
    RECORD_BROKER_CALLBACK_ORIGINS: `http://${other.host}`,
  })
  const shown: [string, string][] = []
  const send = async (
    method: string,
    path: string,
    options: { as?: string; body?: unknown; headers?: object; isSecret?: boolean } = {},
  ) => {
    const { as = `Bearer ${operator}`, body, headers } = options
    const response = await fetch(new URL(path, broker.url), {
      method,
      headers: {
        ...(as !== '' && { authorization: as }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!options.isSecret) shown.push([`${method} ${path}`, text + JSON.stringify([...response.headers])])
    return { status: response.status, text, json: () => JSON.parse(text) }
  }
  // A project with stored credentials, and its token.
  const rules = { read: ['**'], write: ['**'], quotas: {} }
  expect((await send('PUT', '/v1/projects/team', { body: rules })).status).toBe(201)
  const rights = {
    name: 'ci',
    project: 'team',
    scopes: [
      'conversions:read',
      'conversions:write',
      'registry:pull',
      'registry:push',
      'records:write',
      'records:read',
    ],
    read: ['**'],
    write: ['**'],
  }
  const created = await send('POST', '/v1/tokens', { body: rights, isSecret: true })
  expect(created.status).toBe(201)
  const token: string = created.json().token
  const within = { 'record-broker-project': 'team' }
  const put = await send('PUT', `/v1/registry-credentials/${other.host}`, {
    body: { username: 'user', password: stored },
    headers: within,
  })
  expect(put.status).toBeLessThan(300)
  await send('GET', '/v1/registry-credentials', { headers: within })
  // What fails in its registry, as the operator with the docker config, and as the project with its credentials.
  const jobs: string[] = []
  const convert = async (source: string, target: string, as: string) => {
    const response = await send('POST', '/v1/conversions', { as, body: { source, target } })
    if (response.status === 202) jobs.push(response.json().id)
    return response.status
  }
  for (const [host, as] of [
    [registry.host, `Bearer ${operator}`],
    [other.host, `Bearer ${token}`],
  ] as const) {
    expect(await convert(`${host}/denied/app:1`, `${host}/denied/app:2`, as)).toBe(202)
    expect(await convert(`${host}/moved/app:1`, `${host}/moved/app:2`, as)).toBe(202)
    await send('GET', `/v1/images/${host}/denied/app:1`, { as })
  }
  // What succeeds, in the embedded registry.
  await using registries = new RegistryClient({
    plainHttp: [broker.host],
    credentials: async () => ({ username: 'user', password: token }),
  })
  const repository = registries.repository({ host: broker.host, repository: 'team/app' })
  const layers = [{ tar: buildTar(dir('etc'), file('etc/name', 'a'.repeat(10_000))) }]
  const { digest } = await pushImage(repository, { layers })
  expect(
    await convert(`${broker.host}/team/app@${digest}`, `${broker.host}/team/app:esgz`, `Bearer ${token}`),
  ).toBe(202)
  // Secrets in the wrong place.
  await convert(
    `https://user:${userinfo}@${registry.host}/app:1`,
    `${registry.host}/app:2`,
    `Bearer ${operator}`,
  )
  await convert(
    `user:${userinfo}@${registry.host}/app:1`,
    `user:${userinfo}@${registry.host}/app:2`,
    `Bearer ${token}`,
  )
  await send('POST', '/v1/conversions', {
    body: {
      source: `${registry.host}/a:1`,
      target: `${registry.host}/a:2`,
      callbackUrl: `http://user:${userinfo}@${other.host}/?s=${query}`,
    },
  })
  await send('GET', `/v1/conversions?token=${query}&cursor=${query}`)
  await send('GET', `/v1/records?access_token=${query}`, { as: '' })
  await send('GET', `/v2/team/app/tags/list?X-Amz-Signature=${query}`, { as: '' })
  await send('GET', `/nowhere?token=${query}`)
  await send('DELETE', '/v1/tokens/x', {
    headers: { cookie: `session=${cookie}; __Host-record-broker=${cookie}` },
  })
  await send('GET', '/v1/rules', { as: '', headers: { cookie: `record-broker-session=${cookie}` } })
  const jwt = [
    { alg: 'RS256', kid: oidc },
    { iss: `https://${oidc}.example`, sub: oidc, aud: oidc },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .concat(Buffer.from(oidc).toString('base64url'))
    .join('.')
  for (const as of [
    `Bearer ${jwt}`,
    basic(jwt),
    `Bearer ${wrong}`,
    basic(wrong),
    `Bearer ${token.slice(0, -1)}x${wrong}`,
  ]) {
    for (const path of [
      '/v1/rules',
      '/v2/',
      '/v2/team/app/tags/list',
      '/auth/token?scope=repository:team/app:pull',
    ]) {
      await send('GET', path, { as })
    }
  }
  await send('POST', '/auth/token', {
    as: '',
    body: `grant_type=password&username=user&password=${wrong}`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  for (const as of [hook, `Bearer ${hook}`, `Bearer ${wrong}`]) {
    await send('POST', '/v1/hooks/distribution', { as, body: { events: [{ action: 'push', target: {} }] } })
  }
  await send('POST', '/v1/conversions', { body: `{"source": "${query}`, as: basic(operator) })
  await send('GET', '/v2/team/app/tags/list', { as: basic(token) })
  // All of it has ended, and is shown wherever it may be shown.
  for (const id of jobs) {
    await vi.waitUntil(
      async () => ['succeeded', 'failed'].includes((await send('GET', `/v1/conversions/${id}`)).json().state),
      { timeout: 60_000, interval: 200 },
    )
    await send('GET', `/v1/conversions/${id}/events`)
  }
  const states = await Promise.all(
    jobs.map(async (id) => (await send('GET', `/v1/conversions/${id}`)).json()),
  )
  expect(states.map(({ state }) => state).toSorted()).toEqual([
    'failed',
    'failed',
    'failed',
    'failed',
    'succeeded',
  ])
  for (const path of [
    '/metrics',
    '/v1/audit?limit=500',
    '/v1/tokens',
    '/v1/projects',
    '/readyz',
    '/openapi.json',
    '/v1/conversions',
  ]) {
    await send('GET', path)
  }
  const pushes = (await send('GET', '/v1/audit?action=pushManifest&repository=embedded/team/app')).json()
  // The worker pushed as itself, within the project of the job.
  expect(pushes.items).toContainEqual(
    expect.objectContaining({ project: 'team', caller: expect.objectContaining({ kind: 'worker' }) }),
  )
  expect(await broker.stop()).toBe(0)
  shown.push(...broker.logLines.map((line): [string, string] => ['the log', JSON.stringify(line)]))
  shown.push(...(await readAll(data, [])))
  const secrets = {
    operator,
    password,
    stored,
    signature,
    hook,
    oidc,
    userinfo,
    cookie,
    query,
    wrong,
    token,
    callback: callback.toString('base64'),
    key: key.toString('base64'),
  }
  const leaks = Object.entries(secrets).flatMap(([name, secret]) =>
    shown.flatMap(([place, text]) =>
      traces(secret).some((trace) => text.includes(trace))
        ? [`${name} in ${place}: ${text.slice(0, 2000)}`]
        : [],
    ),
  )
  expect(leaks).toEqual([])
  expect(shown.filter(([place]) => place === 'the log').length).toBeGreaterThan(50)
  expect(shown.map(([place]) => place)).toContain('record-broker.sqlite')
})
