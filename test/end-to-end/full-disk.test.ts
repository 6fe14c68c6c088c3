import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { RegistryClient } from '../../src/registry/client.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { TestRegistry, temporaryFolder } from '../support/embedded-registry.ts'
import { HttpServer } from '../support/http-server.ts'
import { pushImage } from '../support/image-of.ts'
import { describeWith } from '../support/peers.ts'
import { SmallDisk } from '../support/small-disk.ts'
import { file, tarOf } from '../support/tar-of.ts'

const MIB = 2 ** 20
const DISK_BYTES = 96 * MIB
const RESERVE_BYTES = 16 * MIB

type Shown = {
  id: string
  state: string
  attempts: { outcome?: string; error?: { code: string } }[]
}

describeWith(['tmpfs'], 'a broker whose disk is full', () => {
  let stack: AsyncDisposableStack
  let disk: SmallDisk
  let broker: BrokerProcess
  beforeEach(async () => {
    stack = new AsyncDisposableStack()
    disk = stack.use(SmallDisk.mount(DISK_BYTES))
    broker = stack.use(
      await BrokerProcess.start(join(disk.path, 'data'), {
        RECORD_BROKER_DISK_RESERVE: String(RESERVE_BYTES),
        RECORD_BROKER_MAX_RECORD_BYTES: String(MIB),
      }),
    )
  })
  afterEach(() => stack.disposeAsync())

  const send = (method: string, path: string, body: string | Uint8Array<ArrayBuffer>, type: string) =>
    fetch(new URL(path, broker.url), { method, body, headers: { 'content-type': type } })
  const readiness = () => broker.ask<{ status: string; storage: { ok: boolean } }>('GET', '/readyz')

  it('says so at every route that writes, loses nothing, and goes on by itself', async () => {
    const records = (text: string) => send('POST', '/v1/records', text, 'text/plain')
    const kept = (await (await records('/bin/sh\n')).json()) as { id: string }
    const { location } = await fetch(new URL('/v2/app/blobs/uploads/', broker.url), {
      method: 'POST',
    }).then((answer) => ({ location: answer.headers.get('location') ?? '' }))
    const bytes = randomBytes(3 * MIB)
    const first = bytes.subarray(0, MIB)
    expect((await send('PATCH', location, first, 'application/octet-stream')).status).toBe(202)

    await disk.fill()
    const refused = await records('/bin/cat\n')
    expect(refused.status).toBe(507)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await refused.json()).toMatchObject({ code: 'STORAGE_FULL', status: 507 })
    const chunk = await send('PATCH', location, bytes.subarray(MIB), 'application/octet-stream')
    expect(chunk.status).toBe(507)
    expect(Number(chunk.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await chunk.json()).toMatchObject({ errors: [{ code: 'STORAGE_FULL' }] })
    const manifest = await send('PUT', '/v2/app/manifests/1', new Uint8Array(100_000), 'application/json')
    expect([400, 507]).toContain(manifest.status)
    await expect.poll(readiness).toMatchObject({ status: 'degraded', storage: { ok: false } })
    expect((await fetch(new URL('/healthz', broker.url))).status).toBe(200)
    // What needs no room is answered all the same.
    expect(await broker.ask('GET', `/v1/records/${kept.id}`)).toMatchObject({ id: kept.id })

    disk.free()
    await expect.poll(readiness, { timeout: 20_000 }).toMatchObject({ storage: { ok: true } })
    expect((await records('/bin/cat\n')).status).toBe(201)
    // The upload goes on where it was.
    expect((await send('PATCH', location, bytes.subarray(MIB), 'application/octet-stream')).status).toBe(202)
    const digest = digestOf(bytes)
    const done = await fetch(new URL(`${location}?digest=${digest}`, broker.url), { method: 'PUT' })
    expect(done.status).toBe(201)
  })

  it('takes a conversion up again that it filled up amid', async () => {
    const { host } = broker
    const layers = [
      { tar: tarOf(file('large', randomBytes(8 * MIB)), file('small', 'small')), pack: (tar: Buffer) => tar },
    ]
    const image = {
      layers: layers.map((layer) => ({ ...layer, mediaType: 'application/vnd.oci.image.layer.v1.tar' })),
    }
    // The source is a registry elsewhere, which stops amid the layer until the disk is full.
    const halfway = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    const folder = stack.use(await temporaryFolder())
    const source = stack.use(await TestRegistry.start(folder.path))
    const registries = stack.use(
      new RegistryClient({ allowedHosts: () => true, plainHttp: [host, source.host] }),
    )
    await pushImage(registries.repository({ host: source.host, repository: 'app' }), image, '1')
    let isHeld = false
    const proxy = stack.use(
      await HttpServer.start(async ({ method, url, headers }, response) => {
        const answer = await fetch(new URL(url, source.url), {
          method,
          headers: { accept: headers.accept ?? '*/*', ...(headers.range && { range: headers.range }) },
        })
        response.writeHead(answer.status, Object.fromEntries(answer.headers))
        for await (const piece of answer.body ?? []) {
          response.write(piece)
          if (!isHeld && Number(answer.headers.get('content-length')) > MIB) {
            isHeld = true
            halfway.resolve()
            await goOn.promise
          }
        }
        response.end()
      }),
    )
    const converting = stack.use(
      await BrokerProcess.start(join(disk.path, 'other'), {
        RECORD_BROKER_REGISTRIES: proxy.host,
        RECORD_BROKER_PLAIN_HTTP: proxy.host,
        RECORD_BROKER_DISK_RESERVE: String(RESERVE_BYTES),
      }),
    )
    const { id } = await converting.ask<Shown>('POST', '/v1/conversions', {
      source: `${proxy.host}/app:1`,
      target: `${converting.host}/app:1-esgz`,
      record: { inline: [{ path: 'small' }] },
    })
    const shown = () => converting.ask<Shown>('GET', `/v1/conversions/${id}`)
    await halfway.promise
    await disk.fill()
    goOn.resolve()
    await expect
      .poll(() => converting.ask<object>('GET', '/readyz'), { timeout: 20_000 })
      .toMatchObject({ storage: { ok: false } })
    // It waits for room where it is, or as a job.
    await delay(1_000)
    expect(['running', 'queued']).toContain((await shown()).state)
    disk.free()
    await expect.poll(async () => (await shown()).state, { timeout: 50_000 }).toBe('succeeded')
    for (const { outcome, error } of (await shown()).attempts.slice(0, -1)) {
      expect([outcome, error?.code]).toEqual(['failed', 'STORAGE_FULL'])
    }
  })
})
