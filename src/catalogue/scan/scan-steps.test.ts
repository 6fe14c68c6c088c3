import { expect, it } from 'vitest'
import { temporarySqlite } from '../../../test/support/databases.ts'
import { HttpServer } from '../../../test/support/servers/http-server.ts'
import { manifestBytes } from '../../../test/support/servers/test-registry.ts'
import { digestOf } from '../../oci/digest.ts'
import { HostNames } from '../../oci/host-names.ts'
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../oci/media-types.ts'
import { RegistryClient } from '../../registry/client.ts'
import { ImageRows } from '../image-rows.ts'
import { ImageWriter } from '../image-writer.ts'
import { KnownRepositories } from './known-repositories.ts'
import { RegistryScan } from './registry-scan.ts'
import { DEFAULT_SCAN_BOUNDS } from './scan-bounds.ts'
import { initialState, type ScanState } from './scan-state.ts'

const TAGS = ['1', '2', '3', '4', '5']

const imageOf = (tag: string) =>
  manifestBytes({
    config: { mediaType: OCI_CONFIG, digest: digestOf('{}'), size: 2 },
    layers: [{ mediaType: OCI_LAYER_GZIP, digest: digestOf('layer'), size: 9 }],
    annotations: { tag },
  })

it('a step that takes long ends early, and the next one continues where it was', async () => {
  const requested: string[] = []
  await using server = await HttpServer.start(({ path, method }, response) => {
    requested.push(path)
    const tag = /\/manifests\/(\d)$/.exec(path)?.[1]
    if (path.endsWith('/_catalog')) return void response.end(JSON.stringify({ repositories: ['a/app'] }))
    if (path.endsWith('/tags/list')) return void response.end(JSON.stringify({ tags: TAGS }))
    if (path.includes('/referrers/')) {
      response.setHeader('content-type', OCI_INDEX)
      return void response.end(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] }))
    }
    if (tag === undefined) return void response.writeHead(404).end('{}')
    const bytes = imageOf(tag)
    response.writeHead(200, {
      'content-type': OCI_MANIFEST,
      'docker-content-digest': digestOf(bytes),
      'content-length': bytes.length,
    })
    response.end(method === 'GET' ? bytes : undefined)
  })
  await using stack = new AsyncDisposableStack()
  const { database, close } = await temporarySqlite()
  stack.defer(close)
  const { host } = server
  const client = stack.use(new RegistryClient({ plainHttp: [host] }))
  const names = new HostNames([host])
  const scan = new RegistryScan({
    backing: { host, prefix: '' },
    open: async (location) => ({
      source: client.repository(location),
      [Symbol.asyncDispose]: async () => undefined,
    }),
    catalog: (signal) => client.listRepositories(host, { signal }),
    writer: new ImageWriter(database, names),
    rows: new ImageRows(database, names),
    repositories: new KnownRepositories(database, names, 100),
    bounds: { ...DEFAULT_SCAN_BOUNDS, concurrency: 2 },
    room: { images: 100 },
    stepMs: 0,
  })
  const positions: string[] = []
  let state: ScanState = initialState(host)
  while (state.phase !== 'idle') {
    state = await scan.step(state, new AbortController().signal)
    const position = state.afterKnown ? `known ${state.afterKnown.tag}` : state.afterTag
    if (position !== undefined) positions.push(position)
  }
  // Two tags at the same time, then one known image after the other, which may have many referrers.
  expect(positions).toEqual(['2', '4', 'known ', 'known 1', 'known 2', 'known 3', 'known 4', 'known 5'])
  expect(requested.filter((path) => path.includes('/referrers/'))).toHaveLength(TAGS.length)
  expect(requested.filter((path) => path.endsWith('/tags/list'))).toHaveLength(1)
  expect(state.comparedAt).toBeGreaterThan(0)
})
