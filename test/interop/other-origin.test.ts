import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { RegistryClient } from '../../src/registry/client.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { buildTar, file } from '../support/images/build-tar.ts'
import { pushImage } from '../support/images/push-image.ts'
// For its declaration of the page's global.
import type {} from '../support/pages/broker-page.ts'
import { PageServer } from '../support/pages/page-server.ts'
import { launchChromium } from '../support/peers/chromium.ts'
import { describeWithPeers } from '../support/peers/peers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const TOKEN = 'a-token-of-some-length'

describeWithPeers(['chromium'], 'a page of another origin, in Chromium', () => {
  const stack = new AsyncDisposableStack()
  let browser: Browser
  let listed: PageServer
  let unlisted: PageServer
  beforeAll(async () => {
    listed = stack.use(await PageServer.start())
    unlisted = stack.use(await PageServer.start())
    browser = await launchChromium()
    stack.defer(() => browser.close())
  })
  afterAll(() => stack.disposeAsync())

  async function openPage({ origin }: PageServer): Promise<Page> {
    const page = await browser.newPage()
    await page.goto(`${origin}/`)
    await page.waitForFunction(() => globalThis.brokerPage !== undefined)
    return page
  }

  /** Starts a broker with a worker, and pushes an image to it. */
  async function startBroker(settings: Record<string, string>) {
    const folder = stack.use(await temporaryFolder())
    const broker = stack.use(
      await BrokerProcess.start(folder.path, { RECORD_BROKER_CORS_ORIGINS: listed.origin, ...settings }),
    )
    const { url, host } = broker
    await using registries = new RegistryClient({
      plainHttp: [host],
      credentials: async () => ({ username: 'test', password: TOKEN }),
    })
    const layers = [{ tar: buildTar(file('usr/bin/app', 'app')) }]
    await pushImage(registries.repository({ host, repository: 'team/app' }), { layers }, '1.0')
    const conversion = { source: `${host}/team/app:1.0`, target: `${host}/team/app:1.0-esgz` }
    return { broker, url, conversion }
  }

  it('lists, converts and follows events with a token, if its origin is listed', async () => {
    const { url, conversion } = await startBroker({ RECORD_BROKER_TOKEN: TOKEN })
    const page = await openPage(listed)
    const result = await page.evaluate(
      ([broker, request]) => globalThis.brokerPage.convert(broker, request),
      [{ url, token: TOKEN }, conversion] as const,
    )
    expect(result).toMatchObject({
      location: expect.stringMatching(/^\/v1\/conversions\//),
      state: 'succeeded',
      listed: [conversion.target],
    })
    expect(result.events).toEqual(expect.arrayContaining(['queued', 'started', 'succeeded']))
    expect(
      await page.evaluate((broker) => globalThis.brokerPage.repeatListing(broker), { url, token: TOKEN }),
    ).toBe(304)
    // The page can read why it was refused.
    expect(await page.evaluate((broker) => globalThis.brokerPage.listingError(broker), { url })).toBe(
      'UNAUTHORIZED',
    )
    // A page of another origin can read nothing, even with the token.
    const other = await openPage(unlisted)
    expect(
      await other.evaluate((broker) => globalThis.brokerPage.listingError(broker), { url, token: TOKEN }),
    ).toBe('NO_RESPONSE')
  })

  it('cannot read or write without a token, unless its origin is listed', async () => {
    const { broker, url, conversion } = await startBroker({})
    const other = await openPage(unlisted)
    expect(await other.evaluate((address) => globalThis.brokerPage.listingError(address), { url })).toBe(
      'NO_RESPONSE',
    )
    await other.evaluate((address) => globalThis.brokerPage.sendSimplePost(address), { url })
    const records = () => broker.request<{ items: unknown[] }>('GET', '/v1/records')
    expect((await records()).items).toEqual([])

    const page = await openPage(listed)
    await page.evaluate((address) => globalThis.brokerPage.sendSimplePost(address), { url })
    expect((await records()).items).toHaveLength(1)
    const { id, state } = await page.evaluate(
      ([address, request]) => globalThis.brokerPage.convert(address, request),
      [{ url }, conversion] as const,
    )
    expect(state).toBe('succeeded')
    expect(
      await page.evaluate(([address, job]) => globalThis.brokerPage.readWithEventSource(address, job), [
        { url },
        id,
      ] as const),
    ).toEqual(['queued', 'started', 'succeeded'])
  })
})
