import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { describeWithPeers } from '../support/peers/peers.ts'
import { SmallDisk } from '../support/small-disk.ts'

const MIB = 2 ** 20
const DISK_BYTES = 96 * MIB
const RESERVE_BYTES = 16 * MIB

describeWithPeers(['tmpfs'], 'a broker whose disk is full', () => {
  it('responds with 507 to every write, loses nothing, and continues when there is space', async () => {
    using disk = SmallDisk.mount(DISK_BYTES)
    await using broker = await BrokerProcess.start(join(disk.path, 'data'), {
      RECORD_BROKER_DISK_RESERVE: String(RESERVE_BYTES),
      RECORD_BROKER_MAX_RECORD_BYTES: String(MIB),
    })
    const send = (method: string, path: string, body: string | Uint8Array<ArrayBuffer>, type: string) =>
      fetch(new URL(path, broker.url), { method, body, headers: { 'content-type': type } })
    const getReadiness = () => broker.request<{ status: string; storage: { ok: boolean } }>('GET', '/readyz')
    const uploadRecord = (text: string) => send('POST', '/v1/records', text, 'text/plain')
    const stored = (await (await uploadRecord('/bin/sh\n')).json()) as { id: string }
    const { location } = await fetch(new URL('/v2/app/blobs/uploads/', broker.url), {
      method: 'POST',
    }).then((response) => ({ location: response.headers.get('location') ?? '' }))
    const bytes = randomBytes(3 * MIB)
    const first = bytes.subarray(0, MIB)
    expect((await send('PATCH', location, first, 'application/octet-stream')).status).toBe(202)

    await disk.fill()
    const rejected = await uploadRecord('/bin/cat\n')
    expect(rejected.status).toBe(507)
    expect(Number(rejected.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await rejected.json()).toMatchObject({ code: 'STORAGE_FULL', status: 507 })
    const chunk = await send('PATCH', location, bytes.subarray(MIB), 'application/octet-stream')
    expect(chunk.status).toBe(507)
    expect(Number(chunk.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await chunk.json()).toMatchObject({ errors: [{ code: 'STORAGE_FULL' }] })
    const manifest = await send('PUT', '/v2/app/manifests/1', new Uint8Array(100_000), 'application/json')
    expect([400, 507]).toContain(manifest.status)
    await expect.poll(getReadiness).toMatchObject({ status: 'degraded', storage: { ok: false } })
    expect((await fetch(new URL('/healthz', broker.url))).status).toBe(200)
    // Reads need no free space.
    expect(await broker.request('GET', `/v1/records/${stored.id}`)).toMatchObject({ id: stored.id })

    disk.free()
    await expect.poll(getReadiness, { timeout: 20_000 }).toMatchObject({ storage: { ok: true } })
    expect((await uploadRecord('/bin/cat\n')).status).toBe(201)
    // The upload continues from its last offset.
    expect((await send('PATCH', location, bytes.subarray(MIB), 'application/octet-stream')).status).toBe(202)
    const digest = digestOf(bytes)
    const done = await fetch(new URL(`${location}?digest=${digest}`, broker.url), { method: 'PUT' })
    expect(done.status).toBe(201)
  })
})
