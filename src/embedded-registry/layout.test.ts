import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { TestRegistry } from '../../test/support/servers/test-registry.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { formatLayout, parseLayout } from './layout.ts'

it('stores each repository as an OCI image layout', async () => {
  await using folder = await temporaryFolder()
  await using registry = await TestRegistry.start(folder.path)
  const subject = await registry.pushImage('team/app', 'v1')
  const untagged = await registry.pushImage('team/app', 'v2', { subject })
  await registry.request('DELETE', '/v2/team/app/manifests/v2')
  const layout = join(folder.path, 'repositories', 'team+app')
  const readJson = async (name: string) => JSON.parse(await readFile(join(layout, name), 'utf8'))
  expect(await readJson('oci-layout')).toEqual({ imageLayoutVersion: '1.0.0' })
  expect((await readJson('index.json')).manifests).toEqual([
    { ...subject, annotations: { 'org.opencontainers.image.ref.name': 'v1' } },
    { ...untagged, annotations: { 'record-broker.subject': subject.digest } },
  ])
})

it('reads an index that was changed on disk, and ignores names that are not tags', async () => {
  await using folder = await temporaryFolder()
  await using registry = await TestRegistry.start(folder.path)
  const { digest } = await registry.pushImage('app', 'v1')
  const path = join(folder.path, 'repositories', 'app', 'index.json')
  const text = await readFile(path, 'utf8')
  const tags = async () => (await registry.request('GET', '/v2/app/tags/list')).json().tags
  expect(await tags()).toEqual(['v1'])
  await writeFile(path, text.replace('"v1"', '"v2"'))
  expect(await tags()).toEqual(['v2'])
  await writeFile(path, text.replace('"v1"', '"registry.example/app:v1"'))
  expect(await tags()).toEqual([])
  expect((await registry.request('GET', `/v2/app/manifests/${digest}`)).status).toBe(200)
  await writeFile(path, 'damaged')
  expect((await registry.request('GET', '/v2/app/tags/list')).json().errors[0].code).toBe('UNKNOWN')
})

it('formats a parsed layout without changes', async () => {
  const a = { mediaType: 'a/b', digest: `sha256:${'a'.repeat(64)}`, size: 1 }
  const name = (tag: string) => ({ annotations: { 'org.opencontainers.image.ref.name': tag } })
  const manifests = [
    { ...a, ...name('v1') },
    { ...a, ...name('v2') },
  ]
  const layout = await parseLayout(Buffer.from(JSON.stringify({ schemaVersion: 2, manifests })), 'index')
  expect(JSON.parse(await formatLayout(layout)).manifests).toEqual(manifests)
  await expect(parseLayout(Buffer.from('{}'), 'index')).rejects.toThrow('index: manifests')
})
