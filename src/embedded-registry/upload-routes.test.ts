import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { request as rawRequest } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestRegistry } from '../../test/support/servers/test-registry.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { digestOf } from '../oci/digest.ts'
import { contentDigestOf } from './content-digest.ts'

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

/** Larger than the body limit of a server, and not a multiple of a buffer size. */
const BIG = Buffer.alloc(5 * 1024 * 1024 + 17, 'some bytes of a layer ')
const UPLOADS = '/v2/team/app/blobs/uploads/'
const listUploads = async () => readdir(join(folder.path, 'uploads', 'team+app')).catch(() => [])

async function openUpload(): Promise<string> {
  const opened = await registry.request('POST', UPLOADS)
  expect(opened.status).toBe(202)
  return opened.header('location')
}

async function expectBlob(bytes: Buffer, digest: string = digestOf(bytes)): Promise<void> {
  const response = await registry.request('GET', `/v2/team/app/blobs/${digest}`)
  expect([response.status, response.header('docker-content-digest')]).toEqual([200, digest])
  expect(response.body.equals(bytes)).toBe(true)
}

describe('a pushed blob is stored', () => {
  it('from one POST', async () => {
    const response = await registry.request('POST', `${UPLOADS}?digest=${digestOf(BIG)}`, { body: BIG })
    expect(response.status).toBe(201)
    expect(response.header('location')).toBe(`/v2/team/app/blobs/${digestOf(BIG)}`)
    await expectBlob(BIG)
    expect(await listUploads()).toEqual([])
  })

  it('from POST and PUT, under a sha512 digest', async () => {
    const digest = contentDigestOf(BIG, 'sha512')
    const response = await registry.request('PUT', `${await openUpload()}?digest=${digest}`, { body: BIG })
    expect(response.status).toBe(201)
    await expectBlob(BIG, digest)
  })

  it('from a stream of unknown length', async () => {
    const bytes = Buffer.concat([BIG, Buffer.from('streamed')])
    const patched = await registry.request('PATCH', await openUpload(), {
      body: Readable.from([BIG, 'streamed']),
    })
    expect([patched.status, patched.header('range')]).toEqual([202, `0-${bytes.length - 1}`])
    const put = await registry.request('PUT', `${patched.header('location')}?digest=${digestOf(bytes)}`)
    expect(put.status).toBe(201)
    await expectBlob(bytes)
  })

  it('from chunks, the last one with the PUT; a chunk out of order receives 416 and the offset', async () => {
    const bytes = Buffer.from('0123456789abcdef')
    const location = await openUpload()
    const chunk = (method: string, start: number, end: number, path = location) => {
      const headers = { 'content-range': `${start}-${end - 1}` }
      return registry.request(method, path, { body: bytes.subarray(start, end), headers })
    }
    expect((await chunk('PATCH', 4, 8)).status).toBe(416)
    expect((await chunk('PATCH', 0, 4)).header('range')).toBe('0-3')
    const repeated = await chunk('PATCH', 0, 4)
    expect([repeated.status, repeated.header('range'), repeated.header('location')]).toEqual([
      416,
      '0-3',
      location,
    ])
    const offset = await registry.request('GET', location)
    expect([offset.status, offset.header('range')]).toEqual([204, '0-3'])
    expect((await chunk('PATCH', 4, 10)).status).toBe(202)
    expect((await chunk('PUT', 10, 16, `${location}?digest=${digestOf(bytes)}`)).status).toBe(201)
    await expectBlob(bytes)
    expect((await registry.request('GET', location)).json().errors[0].code).toBe('BLOB_UPLOAD_UNKNOWN')
  })

  it('if it is empty', async () => {
    const empty = Buffer.alloc(0)
    expect((await registry.request('PUT', `${await openUpload()}?digest=${digestOf(empty)}`)).status).toBe(
      201,
    )
    await expectBlob(empty)
  })

  it('if two clients push it at the same time', async () => {
    const bytes = Buffer.from('pushed by two clients')
    await Promise.all([registry.pushBlob('team/app', bytes), registry.pushBlob('team/app', bytes)])
    await expectBlob(bytes)
  })
})

describe('a failed push', () => {
  it('with a wrong digest leaves nothing, and keeps the connection', async () => {
    for (const path of [UPLOADS, await openUpload()]) {
      const method = path === UPLOADS ? 'POST' : 'PUT'
      const response = await registry.request(method, `${path}?digest=${digestOf('other')}`, { body: BIG })
      expect(response.status).toBe(400)
      expect(response.json().errors[0]).toMatchObject({
        code: 'DIGEST_INVALID',
        detail: { received: digestOf(BIG), size: BIG.length },
      })
    }
    expect((await registry.request('HEAD', `/v2/team/app/blobs/${digestOf('other')}`)).status).toBe(404)
    expect(await listUploads()).toEqual([])
  })

  it('with an invalid digest, or another length than declared, can be resumed', async () => {
    const location = await openUpload()
    const headers = { 'content-range': '0-9' }
    const short = await registry.request('PATCH', location, { body: Readable.from(['1234']), headers })
    expect([short.status, short.json().errors[0].code]).toEqual([400, 'SIZE_INVALID'])
    const long = await registry.request('PATCH', location, { body: Readable.from([BIG]), headers })
    expect([long.status, long.json().errors[0].code]).toEqual([400, 'SIZE_INVALID'])
    expect((await registry.request('PUT', `${location}?digest=sha256:12`, { body: 'x' })).status).toBe(400)
    const bytes = Buffer.from('in the end')
    expect((await registry.request('PATCH', location, { body: bytes, headers })).status).toBe(202)
    expect((await registry.request('PUT', `${location}?digest=${digestOf(bytes)}`)).status).toBe(201)
    await expectBlob(bytes)
  })

  it('of a sender that disconnects can be resumed from the received bytes', async () => {
    const location = await openUpload()
    const sender = rawRequest(new URL(location, registry.url), { method: 'PATCH' })
    const disconnected = once(sender, 'error')
    sender.write(BIG.subarray(0, 1000))
    while ((await registry.request('GET', location)).header('range') !== '0-999');
    sender.destroy(new Error('disconnected'))
    await disconnected
    const headers = { 'content-range': `1000-${BIG.length - 1}` }
    const patched = await registry.request('PATCH', location, { body: BIG.subarray(1000), headers })
    expect(patched.status).toBe(202)
    expect((await registry.request('PUT', `${location}?digest=${digestOf(BIG)}`)).status).toBe(201)
  })

  it('is removed if it is cancelled', async () => {
    const location = await openUpload()
    expect((await registry.request('DELETE', location)).status).toBe(204)
    expect((await registry.request('DELETE', location)).status).toBe(404)
    expect((await registry.request('PATCH', location, { body: 'x' })).status).toBe(404)
  })

  it('results from an upload of another repository', async () => {
    const location = (await openUpload()).replace('team/app', 'team/other')
    expect((await registry.request('PATCH', location, { body: 'x' })).status).toBe(404)
  })
})

describe('mounting', () => {
  const bytes = Buffer.from('a blob of one repository')
  const path = (repository: string) => `/v2/${repository}/blobs/${digestOf(bytes)}`
  const mount = (query: string) =>
    registry.request('POST', `/v2/mount/to/blobs/uploads/?mount=${digestOf(bytes)}${query}`)

  it('makes a blob available in another repository, where it outlives the original', async () => {
    await registry.pushBlob('mount/from', bytes)
    expect((await registry.request('GET', path('mount/to'))).status).toBe(404)
    const mounted = await mount('&from=mount/from')
    expect([mounted.status, mounted.header('location')]).toEqual([201, path('mount/to')])
    expect((await registry.request('DELETE', path('mount/from'))).status).toBe(202)
    expect((await registry.request('GET', path('mount/from'))).status).toBe(404)
    expect((await registry.request('GET', path('mount/to'))).body.equals(bytes)).toBe(true)
  })

  it.each(['', '&from=mount/nowhere', '&from=../..'])(
    'opens an upload if it is not possible: %j',
    async (from) => {
      const response = await mount(from)
      expect(response.status).toBe(202)
      expect(response.header('location')).toMatch(/^\/v2\/mount\/to\/blobs\/uploads\/[a-f0-9-]{36}$/)
    },
  )
})
