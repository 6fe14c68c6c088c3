import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { temporarySqlite } from '../../../test/support/databases.ts'
import { type RecordedRequest, TestRegistry } from '../../../test/support/servers/test-registry.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { repositoryRule } from '../../access/registries/project-rule.ts'
import { RepositoryPatterns } from '../../access/repository-patterns.ts'
import { catalogueFeed, catalogueRefresher, catalogueServices } from '../../app/catalogue.ts'
import type { Database } from '../../db/database.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { HostNames } from '../../oci/host-names.ts'
import { RecordFinder } from '../../records/images/record-finder.ts'
import { RecordStore } from '../../records/store.ts'
import { RegistryClient } from '../../registry/client.ts'
import { CheckQueue } from '../check-queue.ts'
import { RepositoryProjects } from '../repository-projects.ts'
import { DEFAULT_SCAN_BOUNDS } from '../scan/scan-bounds.ts'

const { signal } = new AbortController()
const names = new HostNames([])
const bounds = { ...DEFAULT_SCAN_BOUNDS, requestsPerSecond: 1000 }

let database: Database
let registry: TestRegistry
let received: RecordedRequest[] = []
/** The user agent whose requests for these repositories get 404. */
let hidden: { readonly agent: string; readonly repository: string } | undefined
const stack = new AsyncDisposableStack()
beforeAll(async () => {
  const folder = stack.use(await temporaryFolder())
  const onRequest = (request: RecordedRequest) => {
    received.push(request)
    if (request.headers['user-agent'] !== hidden?.agent) return
    if (request.url.includes(`/${hidden?.repository}/`))
      throw Object.assign(new Error('hidden'), { statusCode: 404 })
  }
  registry = stack.use(await TestRegistry.start(folder.path, { onRequest }))
  for (const name of ['a/app', 'b/app', 'shared/app']) await registry.pushImage(name, '1')
  const opened = await temporarySqlite()
  stack.defer(opened.close)
  database = opened.database
})
afterAll(() => stack.disposeAsync())
beforeEach(() => {
  received = []
  hidden = undefined
})

const clientOf = (agent: string, read: readonly string[]) =>
  stack.use(
    new RegistryClient({
      userAgent: agent,
      plainHttp: [registry.host],
      allows: repositoryRule({ read: [new RepositoryPatterns(read)], write: [] }, names),
      retry: { attempts: 1, baseMs: 1 },
    }),
  )
const partsOf = (registries: RegistryClient) => {
  const backing = { host: registry.host, prefix: '' }
  const finder = new RecordFinder({ openRepository: (at) => registries.repository(at), backing })
  return { database, registries, finder, backing, bounds }
}
const refresherOf = (project: string, paths: readonly string[]) => {
  const read = paths.map((path) => `${registry.host}/${path}`)
  const viewer = {
    projectScope: ProjectScope.of(project),
    access: { read: [new RepositoryPatterns(read)] },
  }
  return catalogueRefresher({ ...partsOf(clientOf(project, read)), viewer })
}
const at = (repository: string) => ({ host: registry.host, repository })
const listed = async () =>
  (await database.query.selectFrom('catalogue_images').select('location').execute())
    .map(({ location }) => location.slice(registry.host.length + 1))
    .toSorted()
const paths = () =>
  [...new Set(received.map(({ url }) => url.split('?')[0]?.split('/').slice(2, 4).join('/')))].toSorted()

it('a fresh listing asks for what its caller may read only', async () => {
  const b = refresherOf('b', ['b/**', 'shared/**'])
  await b.refresh({ repository: at('a/app') }, signal)
  await b.refresh({ image: `${registry.host}/a/app:1` }, signal)
  expect(received).toEqual([])
  await b.refresh({}, signal)
  expect(paths()).toEqual(['_catalog', 'b/app', 'shared/app'])
  expect(await listed()).toEqual(['b/app', 'shared/app'])
})

it('what a registry hides from another project stays in the catalogue', async () => {
  await new RepositoryProjects(database, names).noteWritten(at('shared/app'), 'a')
  hidden = { agent: 'b', repository: 'shared/app' }
  await refresherOf('b', ['b/**', 'shared/**']).refresh({ repository: at('shared/app') }, signal)
  await refresherOf('b', ['b/**', 'shared/**']).refresh({ image: `${registry.host}/shared/app:1` }, signal)
  expect(received.length).toBeGreaterThan(0)
  expect(await listed()).toContain('shared/app')
  const row = await database.query
    .selectFrom('catalogue_repositories')
    .select('compared_at')
    .where('location', '=', `${registry.host}/shared/app`)
    .executeTakeFirst()
  hidden = { agent: 'a', repository: 'shared/app' }
  await refresherOf('a', ['shared/**']).refresh({ repository: at('shared/app') }, signal)
  expect(await listed()).not.toContain('shared/app')
  expect(row?.compared_at ?? 0).toBe(0)
})

it('the background compares a repository with the credentials of its project, and others with those of the broker', async () => {
  const used: string[] = []
  const services = catalogueServices({
    ...partsOf(clientOf('broker', ['**'])),
    records: new RecordStore(database),
    useProject: async (project) => {
      used.push(project)
      if (project === 'removed') return undefined
      return { client: clientOf(project, ['**']), [Symbol.asyncDispose]: async () => undefined }
    },
  })
  const projects = new RepositoryProjects(database, names)
  await projects.noteRead(at('b/app'), 'b')
  await projects.noteWritten(at('shared/app'), 'removed')
  const checks = ['a/app', 'b/app', 'shared/app'].map((name) => ({ ...at(name), tag: '1' }))
  await catalogueFeed(database, { names }).addChanged(checks)
  await services.updater.turn('one', signal)
  const agents = (repository: string) => [
    ...new Set(
      received
        .filter(({ url }) => url.includes(`/${repository}/manifests/`))
        .map(({ headers }) => headers['user-agent']),
    ),
  ]
  expect(agents('b/app')).toEqual(['b'])
  for (const name of ['a/app', 'shared/app']) expect(agents(name)).toEqual(['broker'])
  expect(new Set(used)).toEqual(new Set(['b', 'removed']))
  expect(await new CheckQueue(database, names).listDue(10)).toEqual([])
})
