import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestRegistry } from '../../test/support/servers/test-registry.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { digestOf } from '../oci/digest.ts'
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../oci/media-types.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let registry: TestRegistry
beforeAll(async () => {
  folder = await temporaryFolder()
  registry = await TestRegistry.start(folder.path)
})
afterAll(async () => {
  await registry[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

/** Reads all pages by following Link headers. */
async function readPages(path: string, field: string): Promise<string[][]> {
  const pages: string[][] = []
  for (let next: string | undefined = path; next !== undefined; ) {
    const response = await registry.request('GET', next)
    pages.push(response.json()[field])
    next = /^<([^>]+)>; rel="next"$/.exec(response.header('link'))?.[1]
  }
  return pages
}

describe('tags and repositories', () => {
  beforeAll(async () => {
    for (const tag of ['b', 'C', 'a', 'A', 'd']) await registry.pushImage('list/one', tag)
    for (const name of ['list/two', 'list', 'zebra']) await registry.pushImage(name, 'v1')
  })

  it('are listed in lexical order, in pages linked by Link', async () => {
    const path = '/v2/list/one/tags/list'
    expect(await readPages(path, 'tags')).toEqual([['A', 'a', 'b', 'C', 'd']])
    expect(await readPages(`${path}?n=2`, 'tags')).toEqual([['A', 'a'], ['b', 'C'], ['d']])
    expect(await readPages(`${path}?n=3&last=a`, 'tags')).toEqual([['b', 'C', 'd']])
    expect(await readPages(`${path}?n=0`, 'tags')).toEqual([[]])
    expect(await readPages(`${path}?last=zzz`, 'tags')).toEqual([[]])
    expect((await registry.request('GET', `${path}?n=-1`)).status).toBe(400)
  })

  it('are listed in the catalog', async () => {
    expect(await readPages('/v2/_catalog', 'repositories')).toEqual([
      ['list', 'list/one', 'list/two', 'zebra'],
    ])
    expect(await readPages('/v2/_catalog?n=3', 'repositories')).toEqual([
      ['list', 'list/one', 'list/two'],
      ['zebra'],
    ])
  })

  it('do not exist before they are pushed', async () => {
    const response = await registry.request('GET', '/v2/list/three/tags/list')
    expect([response.status, response.json().errors[0].code]).toEqual([404, 'NAME_UNKNOWN'])
  })
})

describe('referrers', () => {
  const list = async (digest: string, query = '') => {
    const response = await registry.request('GET', `/v2/ref/referrers/${digest}${query}`)
    expect([response.status, response.header('content-type')]).toEqual([200, OCI_INDEX])
    return { ...response, manifests: response.json().manifests as { digest: string }[] }
  }

  it('are listed with type and annotations, and filtered', async () => {
    const subject = await registry.pushImage('ref', 'image')
    expect((await list(subject.digest)).manifests).toEqual([])
    const annotations = { 'a.b': 'c' }
    const typed = await registry.pushImage('ref', 'typed', { subject, artifactType: 'x/record', annotations })
    const untyped = await registry.pushImage('ref', 'untyped', { subject })
    const all = await list(subject.digest)
    expect(all.manifests).toEqual([
      { ...typed, artifactType: 'x/record', annotations },
      { ...untyped, artifactType: OCI_CONFIG },
    ])
    expect(all.header('oci-filters-applied')).toBe('')
    const filtered = await list(subject.digest, '?artifactType=x/record')
    expect(filtered.manifests.map(({ digest }) => digest)).toEqual([typed.digest])
    expect(filtered.header('oci-filters-applied')).toBe('artifactType')
    await registry.request('DELETE', `/v2/ref/manifests/${typed.digest}`)
    expect((await list(subject.digest)).manifests.map(({ digest }) => digest)).toEqual([untyped.digest])
  })

  it('can be pushed before their subject, and are empty for an unknown digest', async () => {
    const digest = digestOf('later')
    const early = await registry.pushImage('ref', 'early', {
      subject: { mediaType: OCI_MANIFEST, digest, size: 5 },
    })
    expect((await list(digest)).manifests).toMatchObject([{ digest: early.digest }])
    const empty = await registry.request('GET', `/v2/never/pushed/referrers/${digest}`)
    expect([empty.status, empty.json()]).toEqual([
      200,
      { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] },
    ])
  })
})
