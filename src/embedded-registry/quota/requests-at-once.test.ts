import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  EMPTY_REPOSITORY,
  openQuotaRegistry,
  SMALL_LIMIT,
} from '../../../test/support/servers/quota-registry.ts'
import { manifestBytes } from '../../../test/support/servers/test-registry.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { digestOf } from '../../oci/digest.ts'
import { OCI_CONFIG } from '../../oci/media-types.ts'
import { Room } from './room.ts'

/** Three of these fit into the quota, with the repository and its list of manifests. */
const SIZE = 30_000
const FITTING = 3
const CONFIG = Buffer.from('{}')

const admitted = (statuses: readonly number[]) => ({
  stored: statuses.filter((status) => status === 201).length,
  refused: statuses.filter((status) => status === 403).length,
})

describe('requests at the same time', () => {
  it('store as many declared blobs as fit, and no more', async () => {
    await using folder = await temporaryFolder()
    await using api = await openQuotaRegistry(folder.path)
    await api.push('small', 'app', CONFIG)
    const pushes = await Promise.all(
      Array.from({ length: 10 }, () => api.push('small', 'app', randomBytes(SIZE))),
    )
    expect(admitted(pushes.map(({ status }) => status))).toEqual({ stored: FITTING, refused: 10 - FITTING })
    const stored = EMPTY_REPOSITORY + CONFIG.length + FITTING * SIZE
    expect(await api.registry.storedBytes('small')).toBe(stored)
  })

  it('store as many manifests as fit, and what was reserved is free again', async () => {
    await using folder = await temporaryFolder()
    await using api = await openQuotaRegistry(folder.path)
    await api.push('small', 'app', CONFIG)
    const config = { mediaType: OCI_CONFIG, digest: digestOf(CONFIG), size: CONFIG.length }
    const put = async (tag: string, size: number) => {
      const bytes = manifestBytes({ config, annotations: { tag, padding: 'x'.repeat(size) } })
      return (await api.as('small', 'PUT', `/v2/app/manifests/${tag}`, bytes)).status
    }
    const statuses = await Promise.all(Array.from({ length: 12 }, (_, index) => put(`v${index}`, SIZE)))
    expect(admitted(statuses)).toEqual({ stored: FITTING, refused: 12 - FITTING })
    const used = await api.registry.storedBytes('small')
    expect(used).toBeGreaterThan(EMPTY_REPOSITORY + FITTING * SIZE)
    // Half of the rest fits still.
    expect((await api.push('small', 'app', randomBytes((SMALL_LIMIT - used) >> 1))).status).toBe(201)
  })

  it('mount as many blobs as fit', async () => {
    await using folder = await temporaryFolder()
    await using api = await openQuotaRegistry(folder.path)
    const blobs = Array.from({ length: 10 }, () => randomBytes(SIZE))
    for (const bytes of blobs) await api.push('other', 'shared', bytes)
    await api.push('small', 'app', CONFIG)
    const statuses = await Promise.all(
      blobs.map(async (bytes) => {
        const path = `/v2/app/blobs/uploads/?mount=${digestOf(bytes)}&from=shared`
        return (await api.as('small', 'POST', path)).status
      }),
    )
    expect(admitted(statuses)).toEqual({ stored: FITTING, refused: 10 - FITTING })
    const stored = EMPTY_REPOSITORY + CONFIG.length + FITTING * SIZE
    expect(await api.registry.storedBytes('small')).toBe(stored)
  })
})

it('admits what fits in the order of the requests, and takes what is beyond a reservation from the rest', () => {
  let free = 10
  const account = {
    check: (bytes: number) => {
      if (bytes > free) throw new Error('full')
    },
    addReserved: (bytes: number) => {
      free -= bytes
    },
  }
  const rooms = Array.from({ length: 4 }, () => new Room(account))
  const results = rooms.map((room) => {
    try {
      room.reserve(3)
      return true
    } catch {
      return false
    }
  })
  expect([results, free]).toEqual([[true, true, true, false], 1])
  const [first, second] = rooms
  // The caller counts as stored what it takes.
  first?.take(2)
  expect(free).toBe(3)
  free -= 2
  expect(() => first?.take(3)).toThrow('full')
  second?.release(100)
  expect(free).toBe(4)
  for (const room of rooms) room[Symbol.dispose]()
  expect(free).toBe(8)
})
