import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { withPort } from '../../src/app/listen.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { CLIENT_ID, CLIENT_SECRET, LoginProvider } from '../support/oidc/login-provider.ts'
import { AUDIENCE, TokenIssuer } from '../support/oidc/token-issuer.ts'
import { GITHUB_CLAIMS } from '../support/oidc/workload-claims.ts'
import { PageServer } from '../support/pages/page-server.ts'
import { launchChromium } from '../support/peers/chromium.ts'
import { describeWithPeers } from '../support/peers/peers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const stack = new AsyncDisposableStack()
let provider: LoginProvider
let issuer: TokenIssuer
let broker: BrokerProcess
beforeAll(async () => {
  const { path } = stack.use(await temporaryFolder())
  const { port } = await withPort({ host: '127.0.0.1', port: 0 })
  const url = `http://127.0.0.1:${port}`
  provider = stack.use(
    await LoginProvider.start({ alice: { groups: ['team-a'] } }, { redirectUri: `${url}/login/callback` }),
  )
  issuer = stack.use(await TokenIssuer.start())
  const write = async (name: string, policies: object[]) => {
    await writeFile(join(path, name), JSON.stringify(policies))
    return join(path, name)
  }
  const scopes = ['records:read', 'records:write']
  const workload = { issuer: issuer.url, audience: AUDIENCE, scopes }
  broker = stack.use(
    await BrokerProcess.start(join(path, 'data'), {
      RECORD_BROKER_LISTEN: new URL(url).host,
      RECORD_BROKER_PUBLIC_URL: url,
      RECORD_BROKER_OIDC_POLICIES: await write('workloads.json', [
        { ...workload, name: 'by id', conditions: { repository_id: GITHUB_CLAIMS.repository_id } },
        { ...workload, name: 'by name', conditions: { repository: 'octo-org/other' } },
      ]),
      RECORD_BROKER_LOGIN_ISSUER: provider.url,
      RECORD_BROKER_LOGIN_CLIENT_ID: CLIENT_ID,
      RECORD_BROKER_LOGIN_CLIENT_SECRET: CLIENT_SECRET,
      RECORD_BROKER_LOGIN_SCOPES: 'openid profile',
      RECORD_BROKER_LOGIN_POLICIES: await write('people.json', [
        { name: 'team', groups: ['team-a'], scopes },
      ]),
    }),
  )
})
afterAll(() => stack.disposeAsync())

describe('a broker with an OIDC issuer and without a token', () => {
  const send = async (path: string, token?: string, body?: string) => {
    const response = await fetch(new URL(path, broker.url), {
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        'content-type': 'text/plain',
      },
      ...(body !== undefined && { method: 'POST', body }),
    })
    return { status: response.status, json: JSON.parse(await response.text()) }
  }

  it('serves workloads, and nobody without a credential', async () => {
    const token = await issuer.sign(GITHUB_CLAIMS)
    const caller = await send('/v1/caller', token)
    expect(caller).toMatchObject({ status: 200, json: { kind: 'workload', subject: GITHUB_CLAIMS.sub } })
    expect((await send('/v1/records', token, '/bin/sh\n')).status).toBe(201)
    expect(await send('/v1/conversions', token)).toMatchObject({
      status: 403,
      json: { code: 'ACCESS_DENIED' },
    })
    expect(await send('/v1/records')).toMatchObject({ status: 401, json: { code: 'UNAUTHORIZED' } })
    const expired = await issuer.sign({ ...GITHUB_CLAIMS, exp: 1 })
    expect(await send('/v1/records', expired)).toMatchObject({
      status: 401,
      json: { code: 'CREDENTIAL_REJECTED' },
    })
  })

  it('warns at the start about policies by names, and logs no token', async () => {
    const token = await issuer.sign(GITHUB_CLAIMS)
    await send('/v1/caller', token)
    expect(broker.logLines).toContainEqual(
      expect.objectContaining({ policy: 'by name', claims: ['repository'] }),
    )
    expect(JSON.stringify(broker.logLines)).not.toMatch(/by id|eyJ/)
  })
})

describeWithPeers(['chromium'], 'a person with Chromium', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchChromium()
    stack.defer(() => browser.close())
  })

  it('logs in, changes something from a page of the broker only, and logs out', async () => {
    provider.person = 'alice'
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(`${broker.url}/login?returnTo=/docs`)
    expect(page.url()).toMatch(new RegExp(`^${broker.url}/docs\\b`))
    const request = (path: string, method = 'GET', body?: string) =>
      page.evaluate(
        async ([url = '', verb = '', text]) => {
          const headers = { 'content-type': 'text/plain' }
          const response = await fetch(url, {
            method: verb,
            headers,
            ...(text !== undefined && { body: text }),
          })
          const answer = await response.text()
          return { status: response.status, json: answer === '' ? undefined : JSON.parse(answer) }
        },
        [`${broker.url}${path}`, method, body],
      )
    expect(await request('/v1/caller')).toMatchObject({
      status: 200,
      json: { kind: 'person', subject: 'alice' },
    })
    expect(await page.evaluate('document.cookie')).toBe('')
    expect((await request('/v1/records', 'POST', '/from/the/broker\n')).status).toBe(201)
    const count = async () => (await request('/v1/records')).json.items.length as number
    const before = await count()

    // Another port is another origin of the same site: the browser sends the cookie along.
    const other = stack.use(await PageServer.start())
    const foreign = await context.newPage()
    await foreign.goto(`${other.origin}/`)
    const attack = (path: string) =>
      foreign.evaluate(
        (url) =>
          // The page does not get to see the response, whatever it is.
          fetch(url, {
            method: 'POST',
            mode: 'no-cors',
            credentials: 'include',
            body: '/from/elsewhere\n',
          }).catch(() => undefined),
        `${broker.url}${path}`,
      )
    const refused = () => broker.logLines.filter(({ method, status }) => method === 'POST' && status === 403)
    const refusedBefore = refused().length
    for (const path of ['/v1/records', '/logout']) await attack(path)
    await vi.waitUntil(() => refused().length === refusedBefore + 2, { timeout: 10_000 })
    expect(await count()).toBe(before)

    expect((await request('/logout', 'POST')).status).toBe(204)
    expect((await request('/v1/caller')).status).toBe(401)
  })
})
