import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ConversionBench } from '../../../test/support/conversion-bench.ts'
import { temporarySqlite } from '../../../test/support/databases.ts'
import { buildTar, dir, file } from '../../../test/support/images/build-tar.ts'
import { pushImage } from '../../../test/support/images/push-image.ts'
import { HttpServer } from '../../../test/support/servers/http-server.ts'
import { type RecordedRequest, TestRegistry } from '../../../test/support/servers/test-registry.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { DatabaseCache } from '../../cache/database-cache.ts'
import type { Database } from '../../db/database.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import type { Descriptor } from '../../oci/documents.ts'
import { RegistryClient } from '../../registry/client.ts'
import type { ConversionRequest } from '../request.ts'
import { runConversion } from '../run.ts'
import type { ConversionServices } from '../services.ts'

/** A layer without its directories, so that the layers above and below matter to each other. */
const tarOf = (name: string) =>
  buildTar(file(`opt/${name}/secret`, `${name} `.repeat(500)), file(`opt/${name}/noise`, randomBytes(20_000)))
const base = buildTar(dir('opt', { mode: 0o751 }), file('opt/base', randomBytes(30_000)))
const signal = new AbortController().signal

let bench: ConversionBench
let registry: TestRegistry
let database: Database
let close: () => Promise<void>
let received: RecordedRequest[] = []
/** What the registry itself denies: the user agent of a project, and the repositories that it may not read. */
let denied: { readonly agent: string; readonly repositories: RegExp } | undefined
const stack = new AsyncDisposableStack()

beforeAll(async () => {
  const folder = stack.use(await temporaryFolder())
  const onRequest = (request: RecordedRequest) => {
    received.push(request)
    if (request.headers['user-agent'] !== denied?.agent) return
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    const refused = isRead ? request.url : decodeURIComponent(/[?&]from=([^&]*)/.exec(request.url)?.[1] ?? '')
    if (denied?.repositories.test(refused)) throw Object.assign(new Error('denied'), { statusCode: 403 })
  }
  registry = stack.use(await TestRegistry.start(join(folder.path, 'registry'), { onRequest }))
  bench = stack.use(await ConversionBench.open(registry.host))
  ;({ database, close } = await temporarySqlite())
})
afterAll(async () => {
  await stack.disposeAsync()
  await close()
})
beforeEach(async () => {
  denied = undefined
  await database.query.deleteFrom('converted_layers').execute()
  await database.query.deleteFrom('converted_images').execute()
})

/** The services of the jobs of a project. `readable`: the repositories that its rules allow it to read. */
function servicesOf(
  project: string,
  readable: RegExp,
  otherHosts: readonly string[] = [],
): ConversionServices {
  const hosts = [registry.host, ...otherHosts]
  const registries = stack.use(
    new RegistryClient({
      userAgent: project,
      plainHttp: hosts,
      allowedHosts: (host) => hosts.includes(host),
      allows: ({ repository }) => readable.test(repository),
      retry: { attempts: 1, baseMs: 1 },
    }),
  )
  const cache = new DatabaseCache(database, { layers: 100, images: 100 }).in(ProjectScope.of(project))
  return { ...bench.services, project, registries, cache }
}

type Options = Pick<ConversionRequest, 'record'> & { readonly host?: string }

/** Converts, and returns the outcome with the requests of the project, in the order of their names. */
async function convert(
  services: ConversionServices,
  from: string,
  to: string,
  { host, record }: Options = {},
) {
  received = []
  const request = {
    source: `${host ?? registry.host}/${from}`,
    target: `${registry.host}/${to}`,
    overwrite: true,
    ...(record && { record }),
  }
  const outcome = await runConversion(request, services, { signal }).then(
    (report) => ({ report }),
    (error: { code?: string; message: string }) => ({ error }),
  )
  return {
    report: 'report' in outcome ? outcome.report : undefined,
    error: 'error' in outcome ? outcome.error : undefined,
    actions: 'report' in outcome ? outcome.report.images[0]?.layers.map(({ action }) => action) : undefined,
    requests: received.map(({ method, url }) => `${method} ${url}`).toSorted(),
  }
}

const layersOf = async (name: string, tag = '1') => {
  const { bytes } = await bench.repository(name).getManifest(tag)
  return (JSON.parse(bytes.toString()) as { layers: Descriptor[] }).layers
}

/** Pushes an image, and removes the blob of its layer, so that its manifest only names it. */
async function pushWithoutContent(name: string, secret: Buffer): Promise<Descriptor> {
  await pushImage(bench.repository(name), { layers: [{ tar: secret }] }, '1')
  const [layer] = await layersOf(name)
  if (!layer) throw new Error('there is no layer')
  const { status } = await registry.request('DELETE', `/v2/${name}/blobs/${layer.digest}`)
  expect(status).toBe(202)
  return layer
}

describe('a manifest that names a layer of another project', () => {
  it.each([
    ['without a record', {}],
    ['with a record', { record: { inline: [{ path: 'opt/known/secret' }] } }],
  ] satisfies [string, Options][])(
    'gives nothing of it, and looks like a missing layer, %s',
    async (_, options) => {
      const [known, unknown] = [tarOf('known'), tarOf('unknown')]
      await pushImage(bench.repository('a/app'), { layers: [{ tar: known }] }, '1')
      const a = servicesOf('a', /^a\//)
      // One of each order, so that the index and the directories of the layer are cached, too.
      await convert(a, 'a/app:1', 'a/app:streamed')
      await convert(a, 'a/app:1', 'a/app:arranged', { record: { inline: [{ path: 'opt/known/noise' }] } })
      const b = servicesOf('b', /^b\//)
      const results: { code: string | undefined; message: string; requests: string[] }[] = []
      for (const [name, tar] of [
        ['b/stolen', known],
        ['b/missing', unknown],
      ] as const) {
        const { digest } = await pushWithoutContent(name, tar)
        const { error, requests } = await convert(b, `${name}:1`, `${name}:out`, options)
        const same = (text: string) =>
          text
            .replaceAll(digest, 'LAYER')
            .replaceAll(name, 'NAME')
            .replaceAll(/sha256:[0-9a-f]{64}/g, 'OTHER')
        results.push({
          code: error?.code,
          message: same(error?.message ?? ''),
          // An upload to the own target may be open already when the source turns out to be missing.
          requests: requests
            .filter((line) => !line.includes('/uploads/'))
            .map(same)
            .toSorted(),
        })
        expect(requests.filter((line) => line.includes('/v2/a/'))).toEqual([])
      }
      const [stolen, missing] = results
      expect(stolen?.code).toBe('NOT_FOUND')
      expect(stolen).toEqual(missing)
      const kept = await database.query
        .selectFrom('converted_layers')
        .select('layer')
        .where('project', '=', 'b')
        .execute()
      const [{ digest: secret }] = (await layersOf('a/app', 'streamed')) as [Descriptor]
      expect(kept.filter(({ layer }) => layer.includes(secret))).toEqual([])
    },
  )

  it('gives nothing of it if its registry claims to have every layer', async () => {
    const secret = tarOf('claimed')
    await pushImage(bench.repository('a/claimed'), { layers: [{ tar: base }, { tar: secret }] }, '1')
    const a = servicesOf('a', /^a\//)
    const first = await convert(a, 'a/claimed:1', 'a/claimed:out')
    const sizes = new Map((await layersOf('a/claimed')).map(({ digest, size }) => [digest as string, size]))
    await using liar = await HttpServer.start(async ({ method, path }, response) => {
      const size = sizes.get(path.split('/').at(-1) ?? '')
      if (size === undefined) {
        const { status, header, body } = await registry.request('GET', path.replace('/b/', '/a/'))
        const headers = { 'content-type': header('content-type'), 'content-length': body.length }
        response.writeHead(status, headers).end(method === 'HEAD' ? undefined : body)
      } else
        response
          .writeHead(200, { 'content-length': size })
          .end(method === 'HEAD' ? undefined : Buffer.alloc(size))
    })
    const b = servicesOf('b', /./, [liar.host])
    const { error, requests } = await convert(b, 'b/claimed:1', 'b/claimed:out', { host: liar.host })
    expect(error?.code).toBe('DIGEST_MISMATCH')
    const digests = first.report?.images[0]?.layers.map(({ digest }) => digest) ?? []
    expect(digests).toHaveLength(2)
    for (const digest of digests) expect(requests.filter((line) => line.includes(digest))).toEqual([])
  })
})

describe('a layer that two projects can read', () => {
  const secret = tarOf('shared')
  const sourceReads = async (requests: readonly string[], method: string) => {
    const digests = (await layersOf('shared/app')).map(({ digest }) => digest)
    return requests.filter(
      (line) => line.startsWith(`${method} `) && digests.some((digest) => line.includes(`/blobs/${digest}`)),
    )
  }
  beforeAll(async () => {
    await pushImage(bench.repository('shared/app'), { layers: [{ tar: base }, { tar: secret }] }, '1')
  })

  it('is reused where both can read the converted one, for one more request for each layer', async () => {
    const a = servicesOf('a', /^(a|shared)\//)
    const b = servicesOf('b', /./)
    const first = await convert(a, 'shared/app:1', 'a/mine:1')
    expect(await sourceReads(first.requests, 'HEAD')).toEqual([])
    const second = await convert(b, 'shared/app:1', 'b/mine:1')
    expect(second.actions).toEqual(['reused', 'reused'])
    expect(second.report?.digest).toBe(first.report?.digest)
    expect(second.report?.reused).toBeUndefined()
    expect(await sourceReads(second.requests, 'GET')).toEqual([])
    expect(await sourceReads(second.requests, 'HEAD')).toHaveLength(2)
    // From now on it is the layer of this project, too, and in its own repository.
    await database.query.deleteFrom('converted_images').execute()
    denied = { agent: 'b', repositories: /^(\/v2\/)?a\// }
    const third = await convert(b, 'shared/app:1', 'b/other:1')
    expect(third.actions).toEqual(['reused', 'reused'])
    expect(third.report?.digest).toBe(first.report?.digest)
    expect(JSON.stringify([second.report, third.report])).not.toContain('a/mine')
  })

  it('is rearranged from the converted one of another project', async () => {
    const record = { inline: [{ path: 'opt/shared/noise' }] }
    await convert(servicesOf('a', /^(a|shared)\//), 'shared/app:1', 'a/streamed:1')
    const b = servicesOf('b', /./)
    const { actions, report } = await convert(b, 'shared/app:1', 'b/streamed:1', { record })
    expect(actions).toEqual(['reused', 'rearranged'])
    const anew = await convert({ ...b, cache: undefined }, 'shared/app:1', 'b/anew:1', { record })
    expect(anew.report?.digest).toBe(report?.digest)
  })

  it.each([
    ['the rules of the project', /^(b|shared)\//, undefined],
    ['the registry', /./, /^(\/v2\/)?a\//],
  ] as const)('is converted again where %s do not allow the other repository', async (_, rules, refused) => {
    const first = await convert(servicesOf('a', /^(a|shared)\//), 'shared/app:1', 'a/hidden:1')
    if (refused) denied = { agent: 'b', repositories: refused }
    const second = await convert(servicesOf('b', rules), 'shared/app:1', `b/visible-${refused ? 1 : 2}:1`)
    expect(second.actions).toEqual(['streamed', 'streamed'])
    expect(second.report?.digest).toBe(first.report?.digest)
    expect(second.requests.filter((line) => line.includes('from='))).toEqual([])
    if (!refused) expect(second.requests.filter((line) => line.includes('/a/'))).toEqual([])
  })

  it('is not shared as a whole image, and its conversion in progress is not shared either', async () => {
    const [a, b] = [servicesOf('a', /./), servicesOf('b', /^(b|shared)\//)]
    const [one, other] = await Promise.all([
      convert(a, 'shared/app:1', 'b/both:a'),
      convert(b, 'shared/app:1', 'b/both:b'),
    ])
    expect(one.report?.digest).toBe(other.report?.digest)
    const again = await convert(servicesOf('c', /./), 'shared/app:1', 'b/both:c')
    expect(again.report?.reused).toBeUndefined()
    expect((await convert(a, 'shared/app:1', 'b/both:d')).report?.reused).toBe(true)
  })
})

it('costs a single project no request more than a broker without projects', async () => {
  await pushImage(bench.repository('only/app'), { layers: [{ tar: base }, { tar: tarOf('only') }] }, '1')
  const services = servicesOf('default', /./)
  const first = await convert(services, 'only/app:1', 'only/app:one')
  const digests = (await layersOf('only/app')).map(({ digest }) => digest)
  const sources = first.requests.filter((line) => digests.some((digest) => line.endsWith(digest)))
  expect(sources).toEqual(digests.map((digest) => `GET /v2/only/app/blobs/${digest}`).toSorted())
  await database.query.deleteFrom('converted_images').execute()
  const second = await convert(services, 'only/app:1', 'only/app:two')
  expect(second.requests.filter((line) => digests.some((digest) => line.endsWith(digest)))).toEqual([])
})
