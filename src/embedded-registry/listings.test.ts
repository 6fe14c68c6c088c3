import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestRegistry, temporaryFolder } from '../../test/support/embedded-registry.ts'
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

/** Follows Link headers to the end. */
async function pages(path: string, field: string): Promise<string[][]> {
  const all: string[][] = []
  for (let next: string | undefined = path; next !== undefined; ) {
    const answer = await registry.ask('GET', next)
    all.push(answer.json()[field])
    next = /^<([^>]+)>; rel="next"$/.exec(answer.header('link'))?.[1]
  }
  return all
}

describe('tags and repositories', () => {
  beforeAll(async () => {
    for (const tag of ['b', 'C', 'a', 'A', 'd']) await registry.pushImage('list/one', tag)
    for (const name of ['list/two', 'list', 'zebra']) await registry.pushImage(name, 'v1')
  })

  it('come in lexical order, in pages that Link leads through', async () => {
    const path = '/v2/list/one/tags/list'
    expect(await pages(path, 'tags')).toEqual([['A', 'a', 'b', 'C', 'd']])
    expect(await pages(`${path}?n=2`, 'tags')).toEqual([['A', 'a'], ['b', 'C'], ['d']])
    expect(await pages(`${path}?n=3&last=a`, 'tags')).toEqual([['b', 'C', 'd']])
    expect(await pages(`${path}?n=0`, 'tags')).toEqual([[]])
    expect(await pages(`${path}?last=zzz`, 'tags')).toEqual([[]])
    expect((await registry.ask('GET', `${path}?n=-1`)).status).toBe(400)
  })

  it('are all in the catalog', async () => {
    expect(await pages('/v2/_catalog', 'repositories')).toEqual([['list', 'list/one', 'list/two', 'zebra']])
    expect(await pages('/v2/_catalog?n=3', 'repositories')).toEqual([
      ['list', 'list/one', 'list/two'],
      ['zebra'],
    ])
  })

  it('are unknown when they were never pushed', async () => {
    const answer = await registry.ask('GET', '/v2/list/three/tags/list')
    expect([answer.status, answer.json().errors[0].code]).toEqual([404, 'NAME_UNKNOWN'])
  })
})

describe('referrers', () => {
  const list = async (digest: string, query = '') => {
    const answer = await registry.ask('GET', `/v2/ref/referrers/${digest}${query}`)
    expect([answer.status, answer.header('content-type')]).toEqual([200, OCI_INDEX])
    return { ...answer, manifests: answer.json().manifests as { digest: string }[] }
  }

  it('of a manifest are listed with type and annotations, and filtered', async () => {
    const subject = await registry.pushImage('ref', 'image')
    expect((await list(subject.digest)).manifests).toEqual([])
    const annotations = { 'a.b': 'c' }
    const typed = await registry.pushImage('ref', 'typed', { subject, artifactType: 'x/record', annotations })
    const plain = await registry.pushImage('ref', 'plain', { subject })
    const all = await list(subject.digest)
    expect(all.manifests).toEqual([
      { ...typed, artifactType: 'x/record', annotations },
      { ...plain, artifactType: OCI_CONFIG },
    ])
    expect(all.header('oci-filters-applied')).toBe('')
    const filtered = await list(subject.digest, '?artifactType=x/record')
    expect(filtered.manifests.map(({ digest }) => digest)).toEqual([typed.digest])
    expect(filtered.header('oci-filters-applied')).toBe('artifactType')
    await registry.ask('DELETE', `/v2/ref/manifests/${typed.digest}`)
    expect((await list(subject.digest)).manifests.map(({ digest }) => digest)).toEqual([plain.digest])
  })

  it('can come before their subject, and of the unknown there are none', async () => {
    const digest = digestOf('later')
    const early = await registry.pushImage('ref', 'early', {
      subject: { mediaType: OCI_MANIFEST, digest, size: 5 },
    })
    expect((await list(digest)).manifests).toMatchObject([{ digest: early.digest }])
    const empty = await registry.ask('GET', `/v2/never/pushed/referrers/${digest}`)
    expect([empty.status, empty.json()]).toEqual([
      200,
      { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] },
    ])
  })
})
