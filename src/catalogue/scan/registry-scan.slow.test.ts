import { afterEach, describe, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase, temporarySqlite } from '../../../test/support/databases.ts'
import { HttpServer, type ReceivedRequest } from '../../../test/support/servers/http-server.ts'
import { manifestBytes } from '../../../test/support/servers/test-registry.ts'
import type { CatalogueServices } from '../../analysis/catalogue-analyses.ts'
import { catalogueServices } from '../../app/catalogue.ts'
import { digestOf } from '../../oci/digest.ts'
import { OCI_MANIFEST } from '../../oci/media-types.ts'
import { RecordFinder } from '../../records/images/record-finder.ts'
import { RecordStore } from '../../records/store.ts'
import { RegistryClient } from '../../registry/client.ts'
import { DEFAULT_SCAN_BOUNDS, type ScanBounds } from './scan-bounds.ts'
import type { ScanState } from './scan-state.ts'

type Answer = {
  readonly status?: number
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
}

/** What a test registry has, and what it does instead. */
type Content = {
  readonly repositories: Record<string, readonly string[]>
  /** Returns an answer that replaces the usual one. */
  readonly instead?: (request: ReceivedRequest) => Answer | undefined
}

/** A manifest without layers, which differs from tag to tag. */
const manifestOf = (name: string, tag: string) =>
  manifestBytes({
    config: { mediaType: 'application/vnd.example', digest: digestOf('{}'), size: 2 },
    annotations: { name, tag },
  })

function usualAnswer({ repositories }: Content, { path, method }: ReceivedRequest): Answer {
  if (path === '/v2/_catalog') return { body: JSON.stringify({ repositories: Object.keys(repositories) }) }
  const [, name = '', tag] = /^\/v2\/(.*)\/(?:tags\/list|manifests\/(.*))$/.exec(path) ?? []
  const tags = repositories[name]
  if (tags === undefined || (tag !== undefined && !tags.includes(tag))) return { status: 404, body: '{}' }
  if (tag === undefined) return { body: JSON.stringify({ tags }) }
  const bytes = manifestOf(name, tag)
  const headers = {
    'content-type': OCI_MANIFEST,
    'docker-content-digest': digestOf(bytes),
    'content-length': String(bytes.length),
  }
  return { headers, ...(method === 'GET' && { body: bytes }) }
}

/** A catalogue of a registry over HTTP. */
class ScannedRegistry implements AsyncDisposable {
  readonly server: HttpServer
  readonly client: RegistryClient
  readonly opened: TestDatabase
  readonly #bounds: ScanBounds
  services: CatalogueServices

  private constructor(server: HttpServer, opened: TestDatabase, bounds: ScanBounds) {
    this.server = server
    this.opened = opened
    this.#bounds = bounds
    this.client = new RegistryClient({ plainHttp: [server.host], retry: { attempts: 2, baseMs: 1 } })
    this.services = this.newProcess()
  }

  static async open(content: Content, bounds: Partial<ScanBounds> = {}, open = temporarySqlite) {
    const server = await HttpServer.start((request, response) => {
      const { status = 200, headers, body } = content.instead?.(request) ?? usualAnswer(content, request)
      response.writeHead(status, headers).end(body)
    })
    return new ScannedRegistry(server, await open(), {
      ...DEFAULT_SCAN_BOUNDS,
      requestsPerSecond: 2000,
      ...bounds,
    })
  }

  /** What another process would use. */
  newProcess(): CatalogueServices {
    const { host } = this.server
    const backing = { host, prefix: '' }
    const openRepository = (at: { host: string; repository: string }) => this.client.repository(at)
    return catalogueServices({
      database: this.opened.database,
      registries: this.client,
      records: new RecordStore(this.opened.database),
      finder: new RecordFinder({ openRepository, backing }),
      backing,
      bounds: this.#bounds,
    })
  }

  turn(owner = 'one', signal = new AbortController().signal): Promise<number> {
    return this.services.updater.turn(owner, signal)
  }

  /** Scans until the pass is complete, without the pauses after failures. */
  async scan(): Promise<ScanState> {
    for (let turns = 0; turns < 20; turns++) {
      await this.turn()
      const state = await this.state()
      if (state.phase === 'idle') return state
      await this.#save({ ...state, dueAt: 0 })
    }
    throw new Error('the scan does not end')
  }

  async state(): Promise<ScanState> {
    const { query } = this.opened.database
    const row = await query
      .selectFrom('scans')
      .select('state')
      .where('name', '=', 'registry')
      .executeTakeFirstOrThrow()
    return JSON.parse(row.state) as ScanState
  }

  async #save(state: ScanState): Promise<void> {
    const { query } = this.opened.database
    await query
      .updateTable('scans')
      .set({ state: JSON.stringify(state) })
      .where('name', '=', 'registry')
      .execute()
  }

  /** The process that scanned is dead, and its lease has expired. */
  async expireLease(): Promise<void> {
    await this.opened.database.query.updateTable('scans').set({ lease_until: 0 }).execute()
  }

  async references(): Promise<string[]> {
    const { query } = this.opened.database
    const rows = await query.selectFrom('catalogue_images').select('reference').orderBy('reference').execute()
    return rows.map(({ reference }) => reference.slice(this.server.host.length + 1))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close()
    await this.server[Symbol.asyncDispose]()
    await this.opened.close()
  }
}

const numbered = (count: number, prefix: string) =>
  Array.from({ length: count }, (_, n) => `${prefix}${String(n).padStart(3, '0')}`)

let scanned: ScannedRegistry | undefined
afterEach(async () => {
  await scanned?.[Symbol.asyncDispose]()
  scanned = undefined
})

describeDatabases('a scan that is killed', (open) => {
  it('is continued by another process after its lease, from the last saved position', async () => {
    const stop = new AbortController()
    const tags = numbered(200, 't')
    const heads = new Map<string, number>()
    scanned = await ScannedRegistry.open(
      {
        repositories: { 'a/app': tags, 'b/app': ['x'] },
        instead: ({ method, path }) => {
          if (method !== 'HEAD') return undefined
          heads.set(path, (heads.get(path) ?? 0) + 1)
          if (heads.size === 120) stop.abort(new Error('killed'))
          return undefined
        },
      },
      {},
      open,
    )
    await expect(scanned.turn('one', stop.signal)).rejects.toThrow('killed')
    const saved = await scanned.state()
    // A process that is stopped has not failed.
    expect(saved.failures).toBe(0)
    scanned.services = scanned.newProcess()
    expect(await scanned.turn('two')).toBeGreaterThan(0)
    expect(await scanned.state()).toEqual(saved)
    await scanned.expireLease()
    await scanned.turn('two')
    expect((await scanned.state()).phase).toBe('idle')
    expect(await scanned.references()).toEqual([...tags.map((tag) => `a/app:${tag}`), 'b/app:x'])
    // What was compared before is not compared again.
    for (const tag of tags.slice(0, 100)) expect(heads.get(`/v2/a/app/manifests/${tag}`)).toBe(1)
    expect((await scanned.state()).comparedAt).toBeGreaterThan(0)
  })
})

describe('a scan of a registry', () => {
  it.each([401, 404, 405])(
    'whose catalogue responds with %i compares the repositories that are known',
    async (status) => {
      scanned = await ScannedRegistry.open({
        repositories: { 'a/known': ['1', '2'], 'b/unknown': ['1'] },
        instead: ({ path }) => (path === '/v2/_catalog' ? { status, body: '{}' } : undefined),
      })
      await scanned.services.feed.addChanged([{ host: scanned.server.host, repository: 'a/known', tag: '1' }])
      await scanned.scan()
      expect(await scanned.references()).toEqual(['a/known:1', 'a/known:2'])
    },
  )

  it('with an endless catalogue compares as many repositories as it may', async () => {
    scanned = await ScannedRegistry.open(
      {
        repositories: { 'r000/app': ['1'] },
        instead: ({ path, query }) => {
          if (path !== '/v2/_catalog') return undefined
          const page = Number(query.get('page') ?? 0)
          const repositories = numbered(100, 'r').map((name) =>
            page === 0 ? `${name}/app` : `p${page}/${name}`,
          )
          return {
            headers: { link: `</v2/_catalog?page=${page + 1}>; rel="next"` },
            body: JSON.stringify({ repositories }),
          }
        },
      },
      { maxRepositories: 150 },
    )
    const state = await scanned.scan()
    expect(state.phase).toBe('idle')
    expect(await scanned.references()).toEqual(['r000/app:1'])
    const { query } = scanned.opened.database
    const known = await query.selectFrom('catalogue_repositories').selectAll().execute()
    expect(known.length).toBeLessThanOrEqual(150)
    expect(scanned.server.received.length).toBeLessThan(500)
  })

  it('with endless tags takes as many as it may, of tags and of images', async () => {
    const all = numbered(1000, 't')
    scanned = await ScannedRegistry.open(
      {
        repositories: { 'a/app': all, 'b/app': ['1'] },
        instead: ({ path, query }) => {
          if (path !== '/v2/a/app/tags/list') return undefined
          const page = Number(query.get('page') ?? 0)
          return {
            headers: { link: `</v2/a/app/tags/list?page=${page + 1}>; rel="next"` },
            body: JSON.stringify({ tags: all.slice(page * 100, page * 100 + 100) }),
          }
        },
      },
      { maxTags: 120, maxImages: 70 },
    )
    const state = await scanned.scan()
    expect(await scanned.references()).toHaveLength(70)
    // Tags and images were left out, so nothing was compared completely.
    expect(state.comparedAt).toBe(0)
    const { query } = scanned.opened.database
    const compared = await query
      .selectFrom('catalogue_repositories')
      .select('location')
      .where('compared_at', '>', 0)
      .execute()
    expect(compared).toEqual([])
  })

  it('with manifests that cannot be read lists them with the reason, and reads them once', async () => {
    const huge = Buffer.alloc(9 * 1024 * 1024, ' ')
    scanned = await ScannedRegistry.open({
      repositories: { 'a/app': ['deep', 'fine', 'huge', 'text'] },
      instead: ({ method, path }) => {
        const headers = { 'content-type': OCI_MANIFEST }
        if (method !== 'GET') return undefined
        if (path.endsWith('/huge')) return { headers, body: huge }
        if (path.endsWith('/text')) return { headers, body: 'no manifest' }
        if (path.endsWith('/deep')) return { headers, body: '['.repeat(100_000) + ']'.repeat(100_000) }
        return undefined
      },
    })
    await scanned.scan()
    const { query } = scanned.opened.database
    const rows = await query
      .selectFrom('catalogue_images')
      .select(['tag', 'kind', 'document'])
      .orderBy('tag')
      .execute()
    expect(rows.map(({ tag, kind }) => [tag, kind])).toEqual([
      ['deep', 'unknown'],
      ['fine', 'artifact'],
      ['huge', 'unknown'],
      ['text', 'unknown'],
    ])
    expect(JSON.parse(rows[2]?.document ?? '').problem).toContain('more than 8388608 bytes')
    expect(
      scanned.server.received.filter(({ method, path }) => method === 'GET' && path.endsWith('/huge')),
    ).toHaveLength(1)
  })

  it('that fails for one repository compares the others', async () => {
    scanned = await ScannedRegistry.open({
      repositories: { 'a/app': ['1'], 'b/app': ['1'], 'c/app': ['1'] },
      instead: ({ path }) => (path.startsWith('/v2/b/app/') ? { status: 500, body: '{}' } : undefined),
    })
    const state = await scanned.scan()
    expect(await scanned.references()).toEqual(['a/app:1', 'c/app:1'])
    // A part was not compared, so the whole was not either.
    expect(state.comparedAt).toBe(0)
  })

  it('that limits requests is left alone for as long as it demands', async () => {
    let isBusy = true
    scanned = await ScannedRegistry.open({
      repositories: { 'a/app': ['1'] },
      instead: ({ path }) =>
        isBusy && path.startsWith('/v2/a/app/')
          ? { status: 429, headers: { 'retry-after': '300' }, body: '{}' }
          : undefined,
    })
    const { updater, feed } = scanned.services
    await scanned.turn()
    const received = scanned.server.received.length
    const { dueAt } = await scanned.state()
    expect(dueAt).toBeGreaterThan(Date.now() + 250_000)
    // Changes that hooks report wait, too.
    await feed.addChanged([{ host: scanned.server.host, repository: 'a/app', tag: '1' }])
    await updater.turn('one', new AbortController().signal)
    expect(scanned.server.received).toHaveLength(received)
    isBusy = false
  })

  it('that does not respond any more keeps what is known', async () => {
    let isDown = false
    scanned = await ScannedRegistry.open({
      repositories: { 'a/app': ['1', '2'] },
      instead: () => (isDown ? { status: 503, body: '{}' } : undefined),
    })
    const first = await scanned.scan()
    isDown = true
    const { query } = scanned.opened.database
    await query
      .updateTable('scans')
      .set({ state: JSON.stringify({ ...first, dueAt: 0 }) })
      .where('name', '=', 'registry')
      .execute()
    const state = await scanned.scan()
    expect(await scanned.references()).toEqual(['a/app:1', 'a/app:2'])
    expect(state.comparedAt).toBe(first.comparedAt)
  })
})
