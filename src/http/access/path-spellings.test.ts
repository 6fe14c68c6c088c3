import { once } from 'node:events'
import { type IncomingMessage, request as rawRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GuardedBroker, OPERATOR_TOKEN } from '../../../test/support/guarded-broker.ts'

const stack = new AsyncDisposableStack()
let broker: GuardedBroker
let limited: string

beforeAll(async () => {
  broker = stack.use(await GuardedBroker.start())
  limited = await broker.createToken('a', { scopes: ['conversions:read', 'registry:pull'] })
})
afterAll(() => stack.disposeAsync())

/** Sends a path exactly as it is: other clients normalize it. */
async function send(path: string, authorization?: string) {
  const sent = rawRequest(broker.url, { path, headers: { ...(authorization && { authorization }) } })
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return { status: response.statusCode ?? 0, body: await text(response) }
}

/** Spellings of a path with two segments. */
function spellings(first: string, second: string): string[] {
  const code = (letter: string) => `%${letter.charCodeAt(0).toString(16)}`
  const encoded = [...second].map(code).join('')
  const names = [
    second,
    second.toUpperCase(),
    encoded,
    encoded.toUpperCase(),
    code(second[0] ?? '') + second.slice(1),
  ]
  const separators = [
    '/',
    '//',
    '/./',
    '/%2e/',
    '/x/../',
    '/x/%2e%2e/',
    '/x/..%2f',
    '%2f',
    '%2F',
    '\\',
    '%5c',
    '/;/',
    '/%00/',
  ]
  const ends = [
    '',
    '/',
    '//',
    '/.',
    '/%2e',
    ';',
    ';x=1',
    '%20',
    '%00',
    '.json',
    '?',
    '?x=/healthz',
    '#/healthz',
    '/../healthz/../../',
  ]
  return [
    ...names.flatMap((name) => separators.map((separator) => `/${first}${separator}${name}`)),
    ...ends.map((end) => `/${first}/${second}${end}`),
    `//${first}/${second}`,
    `/healthz/../${first}/${second}`,
    `/healthz/%2e%2e/${first}/${second}`,
    `/${code(first[0] ?? '')}${first.slice(1)}/${second}`,
    `/${first.toUpperCase()}/${second}`,
    `http://localhost/${first}/${second}`,
    `http://broker.example/${first}/${second}?x`,
  ]
}

describe.each([
  ['v1', 'tokens'],
  ['v1', 'audit'],
  ['v1', 'projects'],
])('no spelling of /%s/%s', (first, second) => {
  const paths = spellings(first, second)

  it('is open without a credential', async () => {
    expect(paths.length).toBeGreaterThan(60)
    for (const path of paths) expect([400, 401, 404, 421], path).toContain((await send(path)).status)
  })

  it('is open to a credential without the scope, or shows another project', async () => {
    for (const path of paths) {
      const { status, body } = await send(path, `Bearer ${limited}`)
      if (status === 200)
        expect(
          JSON.parse(body).items.map(({ name }: { name: string }) => name),
          path,
        ).toEqual(['a'])
      else expect([400, 403, 404, 421], path).toContain(status)
    }
    expect((await send(`/${first}/${second}`, `Bearer ${OPERATOR_TOKEN}`)).status).toBe(200)
  })
})

it('no spelling of a repository is open to a token of the registry for another one', async () => {
  const caller = await broker.createToken('b', { scopes: ['registry:pull', 'registry:push'] })
  const query = 'service=record-broker&scope=repository:b/own:pull,push'
  const { token } = (await broker.request('GET', `/auth/token?${query}`, { basic: caller })).json()
  const paths = spellings('v2/a', 'app').flatMap((path) => [`${path}/tags/list`, `${path}/manifests/v1`])
  for (const path of paths) {
    expect([400, 401, 403, 404, 421], path).toContain((await send(path, `Bearer ${token}`)).status)
    expect([400, 401, 404, 421], path).toContain((await send(path)).status)
  }
  expect((await send('/v2/b/own/tags/list', `Bearer ${token}`)).status).toBe(404)
})
