import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RegistryClient } from '../../src/registry/client.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { command } from '../support/command.ts'
import { buildTar, file } from '../support/images/build-tar.ts'
import { pushImage } from '../support/images/push-image.ts'
import { HttpServer } from '../support/servers/http-server.ts'
import { TestRegistry } from '../support/servers/test-registry.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const TOKEN = 'the-token-of-the-operator'
const USERS: Readonly<Record<string, string>> = {
  'user-of-a': 'the-password-of-a',
  'user-of-c': 'the-password-of-c',
  broker: 'the-password-of-the-broker',
}

/** A registry that demands a user, and remembers who read and wrote what. */
class UserRegistry implements AsyncDisposable {
  readonly host: string
  readonly #server: HttpServer
  readonly #requests: { user: string; url: string }[]

  private constructor(server: HttpServer, requests: { user: string; url: string }[]) {
    this.#server = server
    this.#requests = requests
    this.host = server.host
  }

  static async start({ url: upstream }: TestRegistry): Promise<UserRegistry> {
    const requests: { user: string; url: string }[] = []
    const server = await HttpServer.start(async ({ method, url, headers, pieces }, response) => {
      const [user = '', password] = Buffer.from(headers.authorization?.slice('Basic '.length) ?? '', 'base64')
        .toString()
        .split(':')
      requests.push({ user, url })
      if (USERS[user] === undefined || USERS[user] !== password) {
        return void response.writeHead(401, { 'www-authenticate': 'Basic realm="users"' }).end()
      }
      const { authorization: _, host: __, connection: ___, ...forwarded } = headers
      const chunks: Buffer[] = []
      for await (const piece of pieces()) chunks.push(piece)
      const answer = await request(new URL(url, upstream), {
        method: method as 'GET',
        headers: forwarded,
        ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
      })
      const { location, 'transfer-encoding': ____, ...others } = answer.headers
      const path = typeof location === 'string' ? new URL(location, upstream) : undefined
      response.writeHead(answer.statusCode, {
        ...others,
        ...(path && { location: `${path.pathname}${path.search}` }),
      })
      response.end(Buffer.from(await answer.body.arrayBuffer()))
    })
    return new UserRegistry(server, requests)
  }

  get requests(): readonly { readonly user: string; readonly url: string }[] {
    return this.#requests
  }

  /** The users of the requests since the last call, without the first request of each, which has none. */
  takeUsers(): Set<string> {
    return new Set(this.#requests.splice(0).flatMap(({ user }) => (user === '' ? [] : [user])))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server[Symbol.asyncDispose]()
  }
}

const stack = new AsyncDisposableStack()
let registry: UserRegistry
let broker: BrokerProcess
let data: string
const settings = () => ({ RECORD_BROKER_SERVER: broker.url, RECORD_BROKER_TOKEN: TOKEN })

beforeAll(async () => {
  const { path } = stack.use(await temporaryFolder())
  const upstream = stack.use(await TestRegistry.start(join(path, 'registry')))
  registry = stack.use(await UserRegistry.start(upstream))
  await using client = new RegistryClient({ plainHttp: [upstream.host] })
  const image = { layers: [{ tar: buildTar(file('usr/bin/app', 'app')) }] }
  for (const repository of ['a/app', 'b/app']) {
    await pushImage(client.repository({ host: upstream.host, repository }), image, '1.0')
  }
  data = join(path, 'data')
  const configOf = (user: string) =>
    JSON.stringify({ auths: { [registry.host]: { username: user, password: USERS[user] } } })
  const projects = join(path, 'projects')
  await mkdir(join(projects, 'c'), { recursive: true })
  await writeFile(join(projects, 'c', '.dockerconfigjson'), configOf('user-of-c'))
  await writeFile(join(path, 'config.json'), configOf('broker'))
  broker = stack.use(
    await BrokerProcess.start(data, {
      RECORD_BROKER_TOKEN: TOKEN,
      RECORD_BROKER_REGISTRIES: registry.host,
      RECORD_BROKER_PLAIN_HTTP: registry.host,
      RECORD_BROKER_DOCKER_CONFIG: join(path, 'config.json'),
      RECORD_BROKER_PROJECT_DOCKER_CONFIGS: projects,
    }),
  )
  const everything = { read: [`${registry.host}/**`], write: [] }
  await send('PUT', '/v1/projects/a', undefined, {
    read: [`${registry.host}/a/**`],
    write: [`${registry.host}/out/**`],
  })
  for (const name of ['b', 'c']) await send('PUT', `/v1/projects/${name}`, undefined, everything)
})
afterAll(() => stack.disposeAsync())

async function send(method: string, path: string, project?: string, body?: object) {
  const response = await fetch(new URL(path, broker.url), {
    method,
    headers: {
      authorization: `Bearer ${TOKEN}`,
      ...(project !== undefined && { 'record-broker-project': project }),
      ...(body && { 'content-type': 'application/json' }),
      prefer: 'wait=60',
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, json: text === '' ? undefined : JSON.parse(text) }
}
const inspect = (project: string | undefined, repository: string) =>
  send('GET', `/v1/images/${registry.host}/${repository}`, project)

describe('projects with registries of their own', () => {
  it('store credentials by the command line, which never shows a password', async () => {
    const args = ['registry-credential', 'set', registry.host, '--username', 'user-of-a', '--project', 'a']
    const stored = await command([...args, '--password-stdin'], settings(), `${USERS['user-of-a']}\n`)
    expect(stored).toMatchObject({ status: 0, out: `the project a uses ${registry.host} as user-of-a now\n` })
    const withoutTerminal = await command(args, settings(), '')
    expect(withoutTerminal).toMatchObject({ status: 2, err: expect.stringContaining('--password-stdin') })
    const list = ['registry-credential', 'list', '--project']
    expect((await command([...list, 'a'], settings())).out).toContain(`${registry.host} as user-of-a, since `)
    expect((await command([...list, 'b'], settings())).out).toBe('')
    const files = await Promise.all(
      ['record-broker.sqlite', 'record-broker.sqlite-wal'].map((name) =>
        readFile(join(data, name)).catch(() => Buffer.alloc(0)),
      ),
    )
    for (const bytes of files) expect(bytes.includes(USERS['user-of-a'] ?? '')).toBe(false)
  })

  it('read images with their own credentials, and the default project with those of the broker', async () => {
    registry.takeUsers()
    expect((await inspect('a', 'a/app:1.0')).status).toBe(200)
    expect(registry.takeUsers()).toEqual(new Set(['user-of-a']))
    expect((await inspect('c', 'a/app:1.0')).status).toBe(200)
    expect(registry.takeUsers()).toEqual(new Set(['user-of-c']))
    expect((await inspect(undefined, 'a/app:1.0')).status).toBe(200)
    expect(registry.takeUsers()).toEqual(new Set(['broker']))
  })

  it('have no credentials if they are given none', async () => {
    const { status, json } = await inspect('b', 'a/app:1.0')
    expect(status).toBe(502)
    expect(json).toMatchObject({
      code: 'UNAUTHORIZED',
      detail: expect.stringContaining('no credentials are configured'),
    })
    expect(registry.takeUsers()).toEqual(new Set())
  })

  it('send no request for a repository outside their patterns', async () => {
    const before = registry.requests.length
    expect(await inspect('a', 'b/app:1.0')).toMatchObject({
      status: 403,
      json: { code: 'REPOSITORY_NOT_ALLOWED' },
    })
    const source = `${registry.host}/a/app:1.0`
    const target = `${registry.host}/b/converted:1.0`
    expect(await send('POST', '/v1/conversions', 'a', { source, target })).toMatchObject({
      status: 403,
      json: { code: 'REPOSITORY_NOT_ALLOWED' },
    })
    expect(registry.requests).toHaveLength(before)
  })

  it('convert images with their own credentials', async () => {
    const source = `${registry.host}/a/app:1.0`
    const target = `${registry.host}/out/app:1.0`
    const converted = await send('POST', '/v1/conversions', 'a', { source, target })
    expect(converted.json).toMatchObject({ state: 'succeeded' })
    const verified = await send('POST', '/v1/verifications', 'a', { reference: target, source })
    expect(verified.json).toMatchObject({ state: 'succeeded' })
    expect(registry.takeUsers()).toEqual(new Set(['user-of-a']))
  })

  it('lose a credential that is deleted', async () => {
    const args = ['registry-credential', 'delete', registry.host, '--project', 'a']
    expect(await command(args, settings())).toMatchObject({ status: 0 })
    expect((await inspect('a', 'a/app:1.0')).status).toBe(502)
    expect(registry.takeUsers()).toEqual(new Set())
  })

  it('leave no password in the log', () => {
    const log = JSON.stringify(broker.logLines)
    for (const password of Object.values(USERS)) expect(log).not.toContain(password)
  })
})
