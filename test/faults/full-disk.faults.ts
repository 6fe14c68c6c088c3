import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { RegistryClient } from '../../src/registry/client.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { buildTar, file } from '../support/images/build-tar.ts'
import { pushImage } from '../support/images/push-image.ts'
import { describeWithPeers } from '../support/peers/peers.ts'
import { HttpServer } from '../support/servers/http-server.ts'
import { TestRegistry } from '../support/servers/test-registry.ts'
import { SmallDisk } from '../support/small-disk.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const MIB = 2 ** 20
const DISK_BYTES = 96 * MIB
const RESERVE_BYTES = 16 * MIB

type Job = {
  id: string
  state: string
  attempts: { outcome?: string; error?: { code: string } }[]
}

describeWithPeers(['tmpfs'], 'a broker whose disk is full', () => {
  it('completes a conversion during which the disk filled up', async () => {
    await using stack = new AsyncDisposableStack()
    const disk = stack.use(SmallDisk.mount(DISK_BYTES))
    const layers = [
      {
        tar: buildTar(file('large', randomBytes(8 * MIB)), file('small', 'small')),
        compress: (tar: Buffer) => tar,
      },
    ]
    const image = {
      layers: layers.map((layer) => ({ ...layer, mediaType: 'application/vnd.oci.image.layer.v1.tar' })),
    }
    // The source is an external registry that pauses in the middle of the layer until the disk is full.
    const isHalfway = Promise.withResolvers<void>()
    const resume = Promise.withResolvers<void>()
    const folder = stack.use(await temporaryFolder())
    const source = stack.use(await TestRegistry.start(folder.path))
    const registries = stack.use(new RegistryClient({ allowedHosts: () => true, plainHttp: [source.host] }))
    await pushImage(registries.repository({ host: source.host, repository: 'app' }), image, '1')
    let hasPaused = false
    const proxy = stack.use(
      await HttpServer.start(async ({ method, url, headers }, response) => {
        const upstream = await fetch(new URL(url, source.url), {
          method,
          headers: { accept: headers.accept ?? '*/*', ...(headers.range && { range: headers.range }) },
        })
        response.writeHead(upstream.status, Object.fromEntries(upstream.headers))
        for await (const piece of upstream.body ?? []) {
          response.write(piece)
          if (!hasPaused && Number(upstream.headers.get('content-length')) > MIB) {
            hasPaused = true
            isHalfway.resolve()
            await resume.promise
          }
        }
        response.end()
      }),
    )
    const broker = stack.use(
      await BrokerProcess.start(join(disk.path, 'data'), {
        RECORD_BROKER_REGISTRIES: proxy.host,
        RECORD_BROKER_PLAIN_HTTP: proxy.host,
        RECORD_BROKER_DISK_RESERVE: String(RESERVE_BYTES),
      }),
    )
    const { id } = await broker.request<Job>('POST', '/v1/conversions', {
      source: `${proxy.host}/app:1`,
      target: `${broker.host}/app:1-esgz`,
      record: { inline: [{ path: 'small' }] },
    })
    const getJob = () => broker.request<Job>('GET', `/v1/conversions/${id}`)
    await isHalfway.promise
    await disk.fill()
    resume.resolve()
    await expect
      .poll(() => broker.request<object>('GET', '/readyz'), { timeout: 20_000 })
      .toMatchObject({ storage: { ok: false } })
    // The conversion waits for free space, or the job does.
    await delay(1_000)
    expect(['running', 'queued']).toContain((await getJob()).state)
    disk.free()
    await expect.poll(async () => (await getJob()).state, { timeout: 50_000 }).toBe('succeeded')
    for (const { outcome, error } of (await getJob()).attempts.slice(0, -1)) {
      expect([outcome, error?.code]).toEqual(['failed', 'STORAGE_FULL'])
    }
  })
})
