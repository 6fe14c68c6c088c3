import { type FastifyInstance, fastify } from 'fastify'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { sendSecurityHeaders } from '../../src/http/browser/security-headers.ts'
import { registerOpenApi } from '../../src/http/openapi/openapi.ts'
import { launchChromium } from '../support/peers/chromium.ts'
import { describeWithPeers } from '../support/peers/peers.ts'

const EXECUTE_COLOUR = `getComputedStyle(document.querySelector('button.execute')).backgroundColor`

/** Adds a script to the page. Evaluates to the directive that blocks it. */
const ADD_SCRIPT = `(async () => {
  const { promise, resolve } = Promise.withResolvers()
  document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective))
  const script = document.createElement('script')
  script.textContent = 'document.title = "taken over"'
  document.body.append(script)
  return promise
})()`

describeWithPeers(['chromium'], 'the page of the API document, in Chromium', () => {
  const stack = new AsyncDisposableStack()
  let browser: Browser
  beforeAll(async () => {
    browser = await launchChromium()
    stack.defer(() => browser.close())
  })
  afterAll(() => stack.disposeAsync())

  /** Serves the document of a broker with one route. */
  async function startServer(): Promise<string> {
    const app: FastifyInstance = fastify()
    stack.defer(() => app.close())
    const options = { publicUrl: undefined, corsOrigins: new Set<string>() }
    await sendSecurityHeaders(app, options)
    await registerOpenApi(app, { version: '1.0.0' })
    const schema = { operationId: 'greet', summary: 'Greet', tags: ['service'], security: [] }
    app.get('/v1/greeting', { schema }, async () => ({ greeting: 'hello from the broker' }))
    return app.listen({ host: '127.0.0.1', port: 0 })
  }

  it('shows the API and sends requests, and its policy blocks nothing of that', async () => {
    const url = await startServer()
    const page = await browser.newPage()
    const complaints: string[] = []
    page.on('console', (message) => {
      if (message.type() !== 'log') complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('requestfailed', (request) => complaints.push(request.url()))
    await page.goto(`${url}/docs`)
    await page.getByText('Greet', { exact: true }).click()
    await page.getByRole('button', { name: 'Try it out' }).click()
    await page.getByRole('button', { name: 'Execute' }).click()
    await page.getByText('hello from the broker').first().waitFor()
    // The style sheet applies, and the pictures in it load.
    expect(await page.evaluate(EXECUTE_COLOUR)).toBe('rgb(73, 144, 226)')
    expect(complaints).toEqual([])
  })

  it('runs no script from elsewhere', async () => {
    const url = await startServer()
    const page = await browser.newPage()
    await page.goto(`${url}/docs`)
    const blocked = await page.evaluate(ADD_SCRIPT)
    expect(blocked).toBe('script-src-elem')
    expect(await page.title()).not.toBe('taken over')
  })
})
