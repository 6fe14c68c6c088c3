import { type FastifyInstance, fastify } from 'fastify'
import { afterAll, describe, expect, it } from 'vitest'
import { registerOpenApi } from '../openapi/openapi.ts'
import { registerCors } from './cors.ts'
import { sendSecurityHeaders } from './security-headers.ts'

const LISTED = 'https://dash.example'
const stack = new AsyncDisposableStack()
afterAll(() => stack.disposeAsync())

async function openServer(publicUrl?: string): Promise<FastifyInstance> {
  const app: FastifyInstance = fastify()
  stack.defer(() => app.close())
  const url = publicUrl === undefined ? undefined : new URL(publicUrl)
  const corsOrigins = new Set([LISTED])
  await sendSecurityHeaders(app, { publicUrl: url, corsOrigins })
  await registerCors(app, corsOrigins)
  await registerOpenApi(app, { version: '1.0.0', publicUrl: url })
  for (const path of ['/', '/v1/records', '/v2/*']) app.get(path, { schema: {} }, async () => 'hello')
  await app.ready()
  return app
}

describe('the headers of a response', () => {
  it.each(['/v1/records', '/v2/app/blobs/sha256:0', '/openapi.json', '/nowhere'])(
    'let nothing in %s run, be framed or be loaded by other pages',
    async (url) => {
      const { headers } = await (await openServer()).inject({ url })
      expect(headers).toMatchObject({
        'content-security-policy':
          "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none';sandbox",
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
      })
      expect(headers).not.toHaveProperty('strict-transport-security')
    },
  )

  it('let the pages of the broker load what belongs to it, and nothing else', async () => {
    const app = await openServer('https://broker.example')
    const policy = async (url: string) => (await app.inject({ url })).headers['content-security-policy']
    const page =
      "default-src 'none';script-src 'self';style-src 'self';img-src 'self' data:;connect-src 'self';font-src 'self';base-uri 'none';form-action 'self';frame-ancestors 'none'"
    expect(await policy('/')).toBe(page)
    const docs = page
      .replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
      .replace("connect-src 'self'", "connect-src 'self' https://broker.example")
    for (const url of ['/docs', '/docs/', '/docs/static/swagger-ui.css']) expect(await policy(url)).toBe(docs)
  })

  it('make browsers stay with TLS only if the public name has it', async () => {
    const header = async (publicUrl?: string) =>
      (await (await openServer(publicUrl)).inject({ url: '/' })).headers['strict-transport-security']
    expect(await header('https://broker.example')).toBe('max-age=31536000')
    expect(await header('http://broker.example')).toBeUndefined()
    expect(await header()).toBeUndefined()
  })

  it('let pages of listed origins load what they may read', async () => {
    const app = await openServer()
    const policy = async (url: string, origin: string) =>
      (await app.inject({ url, headers: { origin } })).headers['cross-origin-resource-policy']
    expect(await policy('/v1/records', LISTED)).toBe('cross-origin')
    expect(await policy('/v1/records', 'https://other.example')).toBe('same-origin')
    expect(await policy('/v2/app/blobs/x', LISTED)).toBe('same-origin')
  })
})
