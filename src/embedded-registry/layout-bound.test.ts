import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { TestRegistry } from '../../test/support/servers/test-registry.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import type { ContentDigest } from './content-digest.ts'
import { formatLayout, type Layout, MAX_MANIFESTS_AND_TAGS, parseLayout } from './layout.ts'

const taggedOften = (layout: Layout, digest: ContentDigest): Layout => {
  const tags = new Map(layout.tags)
  for (let index = 0; layout.manifests.size + tags.size < MAX_MANIFESTS_AND_TAGS; index++)
    tags.set(`t${index}`, digest)
  return { ...layout, tags }
}

it('refuses manifests and tags beyond the bound of a repository, until some are deleted', async () => {
  await using folder = await temporaryFolder()
  await using registry = await TestRegistry.start(folder.path)
  const { digest } = await registry.pushImage('app', 'v1')
  const manifest = (await registry.request('GET', '/v2/app/manifests/v1')).body
  const path = join(folder.path, 'repositories', 'app', 'index.json')
  const layout = await parseLayout(await readFile(path), 'index')
  await writeFile(path, await formatLayout(taggedOften(layout, digest as string as ContentDigest)))

  const refused = await registry.putManifest('app', 'further', manifest)
  expect([refused.status, refused.json().errors[0]]).toEqual([
    403,
    {
      code: 'DENIED',
      message: expect.stringContaining('the repository has 10000 manifests and tags'),
      detail: { bound: 'manifestsAndTags', limit: MAX_MANIFESTS_AND_TAGS, used: MAX_MANIFESTS_AND_TAGS },
    },
  ])
  // What is there can be pushed again.
  expect((await registry.putManifest('app', 't0', manifest)).status).toBe(201)
  expect((await registry.request('DELETE', '/v2/app/manifests/t0')).status).toBe(202)
  expect((await registry.putManifest('app', 'further', manifest)).status).toBe(201)
  expect((await parseLayout(await readFile(path), 'index')).tags.get('further')).toBe(digest)
})

it('lets others have a turn while a large index is formatted and parsed', async () => {
  let turns = 0
  let next: NodeJS.Immediate | undefined
  const countTurns = () => {
    turns += 1
    next = setImmediate(countTurns)
  }
  countTurns()
  const digest = `sha256:${'a'.repeat(64)}` as ContentDigest
  const manifests = new Map([[digest, { mediaType: 'a/b', size: 1 }]])
  const layout = taggedOften({ manifests, tags: new Map() }, digest)
  const formatted = await formatLayout(layout)
  const turnsOfFormatting = turns
  const parsed = await parseLayout(Buffer.from(formatted), 'index')
  clearImmediate(next)
  expect(parsed).toEqual(layout)
  expect(turnsOfFormatting).toBeGreaterThan(8)
  expect(turns - turnsOfFormatting).toBeGreaterThan(7)
})
