import { describe, expect, it } from 'vitest'
import { HttpServer } from '../../../test/support/servers/http-server.ts'
import { RegistryClient } from '../../registry/client.ts'
import { type ProjectRules, toProject } from '../projects/project.ts'
import { ProjectRegistries } from './project-registries.ts'
import { repositoryRule } from './project-rule.ts'

const times = { createdAt: 1, updatedAt: 1 }
const rules = (read: string[], write: string[] = []): ProjectRules => ({
  description: '',
  read,
  write,
  usesDockerConfig: false,
  quotas: {},
})

/** A registry that demands a token for each project, and counts what it issued. */
async function open({ maxClients = 50 } = {}) {
  const stack = new AsyncDisposableStack()
  const server = stack.use(
    await HttpServer.start(({ path, headers }, response) => {
      if (path === '/token') {
        const user = Buffer.from(headers.authorization?.slice(6) ?? '', 'base64')
          .toString()
          .split(':')[0]
        return void response.end(JSON.stringify({ token: `token-of-${user}` }))
      }
      if (headers.authorization) return void response.writeHead(404).end()
      const challenge = `Bearer realm="http://${server.host}/token",service="registry"`
      response.writeHead(401, { 'www-authenticate': challenge }).end()
    }),
  )
  const projects = new Map<string, ProjectRules>()
  const versions = new Map<string, string>()
  const clients: { readonly project: string; readonly client: RegistryClient; isClosed: boolean }[] = []
  const registries = stack.use(
    new ProjectRegistries({
      maxClients,
      projects: {
        get: async (name) => {
          const stored = projects.get(name)
          return stored && toProject(name, stored, times)
        },
      },
      credentialsVersion: async (project) => versions.get(project) ?? '',
      open: ({ name, readable, writable }) => {
        const client = new RegistryClient({
          plainHttp: [server.host],
          retry: { attempts: 1 },
          credentials: async () => ({ username: name, password: 'secret' }),
          allows: (location, use) =>
            repositoryRule({ read: [readable], write: [writable] }, client.names)(location, use),
        })
        const opened = { project: name, client, isClosed: false }
        const close = client.close.bind(client)
        client.close = () => {
          opened.isClosed = true
          return close()
        }
        clients.push(opened)
        return client
      },
    }),
  )
  const read = async (project: string, repository: string) => {
    await using used = await registries.use(project)
    return used.client.repository({ host: server.host, repository }).resolve('1.0')
  }
  const { host } = server
  return {
    registries,
    projects,
    versions,
    clients,
    server,
    host,
    read,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

describe('the registries of projects', () => {
  it('send the credentials and tokens of a project with its own requests only', async () => {
    await using shared = await open()
    for (const name of ['a', 'b']) shared.projects.set(name, rules(['**']))
    await shared.read('a', 'team/app')
    await shared.read('b', 'team/app')
    await shared.read('a', 'team/app')
    const bearers = shared.server.received
      .filter(({ path, headers }) => path !== '/token' && headers.authorization)
      .map(({ headers }) => headers.authorization)
    expect(bearers).toEqual(['Bearer token-of-a', 'Bearer token-of-b', 'Bearer token-of-a'])
  })

  it('send no request to a repository outside the rules of the project', async () => {
    await using shared = await open()
    shared.projects.set('a', rules([`${shared.host}/a/**`], [`${shared.host}/out`]))
    expect(await shared.read('a', 'a/app')).toBeUndefined()
    expect(await shared.read('a', 'out')).toBeUndefined()
    const before = shared.server.received.length
    await expect(shared.read('a', 'b/app')).rejects.toMatchObject({ code: 'REPOSITORY_NOT_ALLOWED' })
    await using used = await shared.registries.use('a')
    const repository = used.client.repository({ host: shared.host, repository: 'a/app' })
    await expect(repository.pushBytes(Buffer.from('x'))).rejects.toMatchObject({
      code: 'REPOSITORY_NOT_ALLOWED',
    })
    expect(shared.server.received).toHaveLength(before)
  })

  it('allow a caller only what its project and the caller itself may use', async () => {
    await using shared = await open()
    const pattern = (path: string) => `${shared.host}/${path}`
    shared.projects.set('a', rules([pattern('a/**'), pattern('b/**')]))
    await using used = await shared.registries.useAs({
      project: 'a',
      seesAll: false,
      read: [[pattern('b/**'), pattern('c/**')]],
      write: [[]],
    })
    const resolve = (repository: string) =>
      used.client.repository({ host: shared.host, repository }).resolve('1.0')
    expect(await resolve('b/app')).toBeUndefined()
    for (const repository of ['a/app', 'c/app']) {
      await expect(resolve(repository)).rejects.toMatchObject({ code: 'REPOSITORY_NOT_ALLOWED' })
    }
  })

  it('do not serve a project that does not exist', async () => {
    await using shared = await open()
    await expect(shared.registries.use('a')).rejects.toMatchObject({ code: 'PROJECT_NOT_FOUND' })
  })

  it('replace a client when rules or credentials change, and close the former one after its last use', async () => {
    await using shared = await open()
    shared.projects.set('a', rules(['**']))
    const first = await shared.registries.use('a')
    shared.versions.set('a', 'other credentials')
    const second = await shared.registries.use('a')
    expect(second.client).not.toBe(first.client)
    shared.projects.set('a', rules([`${shared.host}/**`]))
    const third = await shared.registries.use('a')
    expect(third.client).not.toBe(second.client)
    expect(shared.clients.map(({ isClosed }) => isClosed)).toEqual([false, false, false])
    await second[Symbol.asyncDispose]()
    await first[Symbol.asyncDispose]()
    await third[Symbol.asyncDispose]()
    expect(shared.clients.map(({ isClosed }) => isClosed)).toEqual([true, true, false])
    await using again = await shared.registries.use('a')
    expect(again.client).toBe(third.client)
  })

  it('are bounded: the least recently used client that nobody uses is closed', async () => {
    await using shared = await open({ maxClients: 2 })
    for (const name of ['a', 'b', 'c', 'd']) shared.projects.set(name, rules(['**']))
    const a = await shared.registries.use('a')
    for (const name of ['b', 'c', 'd']) await (await shared.registries.use(name))[Symbol.asyncDispose]()
    const open_ = () => shared.clients.filter(({ isClosed }) => !isClosed).map(({ project }) => project)
    expect(open_()).toEqual(['a', 'd'])
    await a[Symbol.asyncDispose]()
    await (await shared.registries.use('b'))[Symbol.asyncDispose]()
    expect(open_()).toEqual(['d', 'b'])
  })
})
