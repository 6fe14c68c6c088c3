import { randomBytes } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  EMPTY_REPOSITORY,
  SMALL_LIMIT as LIMIT,
  openQuotaRegistry as openRegistry,
} from '../../../test/support/servers/quota-registry.ts'
import { manifestBytes } from '../../../test/support/servers/test-registry.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { digestOf } from '../../oci/digest.ts'
import { OCI_CONFIG } from '../../oci/media-types.ts'
import { REPOSITORY_BYTES } from './stored-bytes.ts'

const CONFIG = Buffer.from('{}')

describe('the quota of a project', () => {
  it('refuses what goes beyond it, and counts again what was deleted', async () => {
    await using folder = await temporaryFolder()
    await using api = await openRegistry(folder.path)
    const first = randomBytes(60_000)
    expect((await api.push('small', 'app', first)).status).toBe(201)
    // The same content again takes no space.
    expect((await api.push('small', 'app', randomBytes(60_000))).error).toMatchObject({
      code: 'DENIED',
      message: expect.stringContaining(
        `it stores ${60_000 + EMPTY_REPOSITORY} of ${LIMIT} bytes (storedBytes)`,
      ),
      detail: { quota: 'storedBytes', limit: LIMIT, used: 60_000 + EMPTY_REPOSITORY },
    })
    expect((await api.push('other', 'elsewhere', randomBytes(200_000))).status).toBe(201)
    expect(await api.registry.storedBytes('small')).toBe(60_000 + EMPTY_REPOSITORY)
    expect((await api.as('small', 'DELETE', `/v2/app/blobs/${digestOf(first)}`)).status).toBe(202)
    expect(await api.registry.storedBytes('small')).toBe(EMPTY_REPOSITORY)
    expect((await api.push('small', 'app', randomBytes(60_000))).status).toBe(201)
  })

  it('ends an upload of unknown length, whose bytes count until it is removed', async () => {
    await using folder = await temporaryFolder()
    await using api = await openRegistry(folder.path)
    const location = (await api.as('small', 'POST', '/v2/app/blobs/uploads/')).header('location')
    const refused = await api.as(
      'small',
      'PATCH',
      location,
      (async function* () {
        for (let piece = 0; piece < 20; piece++) yield Buffer.alloc(10_000)
      })(),
    )
    expect([refused.status, refused.json().errors[0].code]).toEqual([403, 'DENIED'])
    const used = await api.registry.storedBytes('small')
    expect(used).toBeGreaterThan(0)
    expect(used).toBeLessThanOrEqual(LIMIT)
    const declared = await api.as('small', 'PATCH', location, Buffer.alloc(LIMIT - used + 1))
    expect(declared.status).toBe(403)
    expect((await api.as('small', 'DELETE', location)).status).toBe(204)
    expect(await api.registry.storedBytes('small')).toBe(0)
  })

  it('counts what is mounted', async () => {
    await using folder = await temporaryFolder()
    await using api = await openRegistry(folder.path)
    const big = randomBytes(LIMIT + 1)
    const little = randomBytes(10)
    for (const bytes of [big, little]) expect((await api.push('other', 'shared', bytes)).status).toBe(201)
    const mount = async (bytes: Buffer) =>
      (await api.as('small', 'POST', `/v2/app/blobs/uploads/?mount=${digestOf(bytes)}&from=shared`)).status
    expect([await mount(big), await mount(little)]).toEqual([403, 201])
    expect(await api.registry.storedBytes('small')).toBe(10 + EMPTY_REPOSITORY)
    // Mounted again, it takes nothing.
    expect(await mount(little)).toBe(201)
    expect(await api.registry.storedBytes('small')).toBe(10 + EMPTY_REPOSITORY)
  })

  it('is the same after a restart, with unfinished uploads', async () => {
    await using folder = await temporaryFolder()
    {
      await using api = await openRegistry(folder.path)
      await api.push('small', 'app', randomBytes(1000))
      await api.push('other', 'app', randomBytes(500))
      await api.push('other', 'others', randomBytes(70))
      const location = (await api.as('small', 'POST', '/v2/app/blobs/uploads/')).header('location')
      await api.as('small', 'PATCH', location, Buffer.alloc(300))
    }
    await using api = await openRegistry(folder.path)
    // A repository belongs to the project that created it.
    expect(await api.registry.storedBytes('small')).toBe(1000 + 500 + 300 + EMPTY_REPOSITORY)
    expect(await api.registry.storedBytes('other')).toBe(70 + EMPTY_REPOSITORY)
    expect(await api.registry.storedBytes('default')).toBe(0)
  })

  it('stays exact under concurrent pushes of the same and of other content', async () => {
    await using folder = await temporaryFolder()
    await using api = await openRegistry(folder.path)
    const blobs = Array.from({ length: 8 }, (_, index) => Buffer.alloc(1000, `blob ${index}`))
    await Promise.all([...blobs, ...blobs, ...blobs].map((bytes) => api.push('other', 'app', bytes)))
    expect(await api.registry.storedBytes('other')).toBe(8000 + EMPTY_REPOSITORY)
    await Promise.all(
      blobs.slice(4).flatMap((bytes) => {
        const path = `/v2/app/blobs/${digestOf(bytes)}`
        return [api.as('other', 'DELETE', path), api.as('other', 'DELETE', path)]
      }),
    )
    expect(await api.registry.storedBytes('other')).toBe(4000 + EMPTY_REPOSITORY)
  })

  it('counts the list of manifests and tags, and repositories without content', async () => {
    await using folder = await temporaryFolder()
    await using api = await openRegistry(folder.path)
    const config = { mediaType: OCI_CONFIG, digest: digestOf(CONFIG), size: CONFIG.length }
    await api.push('small', 'app', CONFIG)
    const manifest = manifestBytes({ config })
    for (const tag of ['v1', 'v2'])
      expect((await api.as('small', 'PUT', `/v2/app/manifests/${tag}`, manifest)).status).toBe(201)
    const index = await stat(join(folder.path, 'repositories', 'app', 'index.json'))
    const app = REPOSITORY_BYTES + index.size + CONFIG.length + manifest.length
    expect(await api.registry.storedBytes('small')).toBe(app)
    const fitting = Math.floor((LIMIT - app) / EMPTY_REPOSITORY)
    const statuses: number[] = []
    for (let count = 0; count <= fitting; count++)
      statuses.push((await api.push('small', `empty-${count}`, Buffer.alloc(0))).status)
    expect(statuses).toEqual([...Array.from({ length: fitting }, () => 201), 403])
    await using restarted = await openRegistry(folder.path)
    expect(await restarted.registry.storedBytes('small')).toBe(app + fitting * EMPTY_REPOSITORY)
  })
})
