import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, utimes, writeFile } from 'node:fs/promises'
import { request as rawRequest } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { TestRegistry, temporaryFolder } from '../../test/support/embedded-registry.ts'
import { digestOf } from '../oci/digest.ts'

const SCRIPT = fileURLToPath(new URL('../../test/support/serve-embedded-registry.ts', import.meta.url))
const BYTES = Buffer.alloc(300_000, 'bytes of an upload ')

/** The registry in a process of its own, to be killed. */
async function startProcess(root: string): Promise<{ registry: TestRegistry; kill: () => Promise<void> }> {
  const child = spawn(process.execPath, [SCRIPT, root], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const kill = async () => {
    child.kill('SIGKILL')
    await ended
  }
  for await (const url of createInterface(child.stdout))
    return { registry: new TestRegistry(url, kill), kill }
  throw new Error('the registry ended before it listened')
}

it('killed amid pushes, keeps what it acknowledged, and an upload goes on where it was', async () => {
  await using folder = await temporaryFolder()
  const { registry, kill } = await startProcess(folder.path)
  const before = await registry.pushImage('app', 'v1')
  const location = (await registry.ask('POST', '/v2/app/blobs/uploads/')).header('location')
  const sender = rawRequest(new URL(location, registry.url), { method: 'PATCH' })
  sender.on('error', () => undefined)
  sender.write(BYTES.subarray(0, 100_000))
  while ((await registry.ask('GET', location)).header('range') !== '0-99999');
  // Pushes that the kill meets at any point: each must be wholly there, or not at all.
  const acknowledged = new Set<string>()
  const pushes = Array.from({ length: 50 }, async (_, number) => {
    await registry.pushImage('app', `t${number}`)
    acknowledged.add(`t${number}`)
    if (acknowledged.size === 10) await kill()
  })
  expect((await Promise.allSettled(pushes)).some(({ status }) => status === 'rejected')).toBe(true)

  await using again = await TestRegistry.start(folder.path)
  expect((await again.ask('HEAD', '/v2/app/manifests/v1')).header('docker-content-digest')).toBe(
    before.digest,
  )
  const { tags } = (await again.ask('GET', '/v2/app/tags/list')).json()
  expect(tags).toEqual(expect.arrayContaining(['v1', ...acknowledged]))
  for (const tag of tags) {
    const manifest = await again.ask('GET', `/v2/app/manifests/${tag}`)
    expect(digestOf(manifest.body)).toBe(manifest.header('docker-content-digest'))
    for (const { digest } of manifest.json().layers) {
      expect(digestOf((await again.ask('GET', `/v2/app/blobs/${digest}`)).body)).toBe(digest)
    }
  }
  const headers = { 'content-range': `100000-${BYTES.length - 1}` }
  expect((await again.ask('PATCH', location, { body: BYTES.subarray(100_000), headers })).status).toBe(202)
  expect((await again.ask('PUT', `${location}?digest=${digestOf(BYTES)}`)).status).toBe(201)
})

it('finds out that an upload was damaged while it was away', async () => {
  await using folder = await temporaryFolder()
  let location: string
  {
    await using registry = await TestRegistry.start(folder.path)
    location = (await registry.ask('POST', '/v2/app/blobs/uploads/')).header('location')
    await registry.ask('PATCH', location, { body: BYTES })
  }
  const file = join(folder.path, 'uploads', 'app', location.split('/').at(-1) ?? '')
  await writeFile(file, Buffer.alloc(BYTES.length))
  await using again = await TestRegistry.start(folder.path)
  expect((await again.ask('PUT', `${location}?digest=${digestOf(BYTES)}`)).status).toBe(400)
  expect((await again.ask('HEAD', `/v2/app/blobs/${digestOf(BYTES)}`)).status).toBe(404)
})

it('removes leftovers at the start when they are a day old', async () => {
  await using folder = await temporaryFolder()
  const locations: string[] = []
  {
    await using registry = await TestRegistry.start(folder.path)
    for (let count = 0; count < 2; count++)
      locations.push((await registry.ask('POST', '/v2/app/blobs/uploads/')).header('location'))
  }
  const twoDaysAgo = new Date(Date.now() - 2 * 24 * 60 * 60 * 1000)
  const uploads = join(folder.path, 'uploads', 'app')
  await utimes(join(uploads, locations[0]?.split('/').at(-1) ?? ''), twoDaysAgo, twoDaysAgo)
  const temporary = join(folder.path, 'temporary')
  await writeFile(join(temporary, 'old'), 'half an index')
  await utimes(join(temporary, 'old'), twoDaysAgo, twoDaysAgo)
  await writeFile(join(temporary, 'new'), 'half an index')

  await using registry = await TestRegistry.start(folder.path)
  expect(await readdir(temporary)).toEqual(['new'])
  expect((await registry.ask('GET', locations[0] ?? '')).status).toBe(404)
  expect((await registry.ask('GET', locations[1] ?? '')).status).toBe(204)
})
