import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, utimes, writeFile } from 'node:fs/promises'
import { request as rawRequest } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { TestRegistry } from '../../test/support/servers/test-registry.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { digestOf } from '../oci/digest.ts'
import { ANYONE } from './guard/sender.ts'
import { uploadFileName } from './upload-name.ts'

const SCRIPT = fileURLToPath(
  new URL('../../test/support/children/serve-embedded-registry.ts', import.meta.url),
)
const BYTES = Buffer.alloc(300_000, 'bytes of an upload ')

/** Starts the registry in a process of its own that can be killed. */
async function startProcess(root: string): Promise<{ registry: TestRegistry; kill: () => Promise<void> }> {
  const child = spawn(process.execPath, [SCRIPT, root], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const kill = async () => {
    child.kill('SIGKILL')
    await exited
  }
  for await (const url of createInterface(child.stdout))
    return { registry: new TestRegistry(url, kill), kill }
  throw new Error('the registry exited before it listened')
}

/** The file of an upload to `app`. */
function uploadFile(root: string, location: string): string {
  const name = uploadFileName(location.split('/').at(-1) ?? '', ANYONE)
  return join(root, 'uploads', 'app', name ?? '')
}

it('keeps acknowledged pushes when it is killed, and resumes an upload', async () => {
  await using folder = await temporaryFolder()
  const { registry, kill } = await startProcess(folder.path)
  const pushed = await registry.pushImage('app', 'v1')
  const location = (await registry.request('POST', '/v2/app/blobs/uploads/')).header('location')
  const sender = rawRequest(new URL(location, registry.url), { method: 'PATCH' })
  sender.on('error', () => undefined)
  sender.write(BYTES.subarray(0, 100_000))
  while ((await registry.request('GET', location)).header('range') !== '0-99999');
  // The kill interrupts these pushes at any point: each must be complete, or absent.
  const acknowledged = new Set<string>()
  const pushes = Array.from({ length: 50 }, async (_, number) => {
    await registry.pushImage('app', `t${number}`)
    acknowledged.add(`t${number}`)
    if (acknowledged.size === 10) await kill()
  })
  expect((await Promise.allSettled(pushes)).some(({ status }) => status === 'rejected')).toBe(true)

  await using restarted = await TestRegistry.start(folder.path)
  expect((await restarted.request('HEAD', '/v2/app/manifests/v1')).header('docker-content-digest')).toBe(
    pushed.digest,
  )
  const { tags } = (await restarted.request('GET', '/v2/app/tags/list')).json()
  expect(tags).toEqual(expect.arrayContaining(['v1', ...acknowledged]))
  for (const tag of tags) {
    const manifest = await restarted.request('GET', `/v2/app/manifests/${tag}`)
    expect(digestOf(manifest.body)).toBe(manifest.header('docker-content-digest'))
    for (const { digest } of manifest.json().layers) {
      expect(digestOf((await restarted.request('GET', `/v2/app/blobs/${digest}`)).body)).toBe(digest)
    }
  }
  const headers = { 'content-range': `100000-${BYTES.length - 1}` }
  expect(
    (await restarted.request('PATCH', location, { body: BYTES.subarray(100_000), headers })).status,
  ).toBe(202)
  expect((await restarted.request('PUT', `${location}?digest=${digestOf(BYTES)}`)).status).toBe(201)
})

it('detects an upload that was damaged while the registry was stopped', async () => {
  await using folder = await temporaryFolder()
  let location: string
  {
    await using registry = await TestRegistry.start(folder.path)
    location = (await registry.request('POST', '/v2/app/blobs/uploads/')).header('location')
    await registry.request('PATCH', location, { body: BYTES })
  }
  const file = uploadFile(folder.path, location)
  await writeFile(file, Buffer.alloc(BYTES.length))
  await using restarted = await TestRegistry.start(folder.path)
  expect((await restarted.request('PUT', `${location}?digest=${digestOf(BYTES)}`)).status).toBe(400)
  expect((await restarted.request('HEAD', `/v2/app/blobs/${digestOf(BYTES)}`)).status).toBe(404)
})

it('removes leftovers older than a day at the start', async () => {
  await using folder = await temporaryFolder()
  const locations: string[] = []
  {
    await using registry = await TestRegistry.start(folder.path)
    for (let count = 0; count < 2; count++)
      locations.push((await registry.request('POST', '/v2/app/blobs/uploads/')).header('location'))
  }
  const twoDaysAgo = new Date(Date.now() - 2 * 24 * 60 * 60 * 1000)
  await utimes(uploadFile(folder.path, locations[0] ?? ''), twoDaysAgo, twoDaysAgo)
  const temporary = join(folder.path, 'temporary')
  await writeFile(join(temporary, 'old'), 'half an index')
  await utimes(join(temporary, 'old'), twoDaysAgo, twoDaysAgo)
  await writeFile(join(temporary, 'new'), 'half an index')

  await using registry = await TestRegistry.start(folder.path)
  expect(await readdir(temporary)).toEqual(['new'])
  expect((await registry.request('GET', locations[0] ?? '')).status).toBe(404)
  expect((await registry.request('GET', locations[1] ?? '')).status).toBe(204)
})
