import { describe, expect, it } from 'vitest'
import { networkError, parseRetryAfterMs, responseError } from './response-error.ts'

const context = { operation: 'read x', host: 'r.example' }
const errorOf = (status: number, body = '', retryAfter?: string) =>
  responseError({ status, body, retryAfter }, context)

describe('responseError', () => {
  it.each([
    [400, 'BAD_REQUEST', false],
    [401, 'UNAUTHORIZED', false],
    [403, 'DENIED', false],
    [404, 'NOT_FOUND', false],
    [408, 'UNAVAILABLE', true],
    [413, 'TOO_LARGE', false],
    [429, 'RATE_LIMITED', true],
    [499, 'UNAVAILABLE', true],
    [501, 'UNAVAILABLE', false],
    [503, 'UNAVAILABLE', true],
    [522, 'UNAVAILABLE', true],
  ])('converts %i to %s, retryable: %s', (status, code, retryable) => {
    expect(errorOf(status)).toMatchObject({ code, retryable, status, ...context })
  })

  it('quotes the text of the registry, on one line and without markup', () => {
    const body = JSON.stringify({ errors: [{ code: 'DENIED', message: 'no\nway\u001b[31m' }] })
    expect(errorOf(403, body).message).toContain('read x: r.example responded 403 (DENIED: no way [31m)')
    expect(errorOf(502, '<html>Bad gateway</html>').message).toBe('read x: r.example responded 502')
    expect(errorOf(500, 'x'.repeat(10_000)).message.length).toBeLessThan(400)
    expect(errorOf(400, '{"errors":[null,"odd"]}').code).toBe('BAD_REQUEST')
  })
})

it('parses Retry-After as seconds and as a date', () => {
  expect(parseRetryAfterMs('7')).toBe(7000)
  const now = Date.parse('Wed, 21 Oct 2026 07:28:00 GMT')
  expect(parseRetryAfterMs('Wed, 21 Oct 2026 07:28:30 GMT', now)).toBe(30_000)
  expect(parseRetryAfterMs('Wed, 21 Oct 2026 07:27:30 GMT', now)).toBe(0)
  expect(parseRetryAfterMs('soon')).toBeUndefined()
})

it('distinguishes a lost connection from an invalid certificate', () => {
  const failed = (code: string, message: string) =>
    networkError(Object.assign(new Error(message), { code }), context)
  expect(failed('ECONNRESET', 'reset')).toMatchObject({ code: 'NETWORK', retryable: true })
  expect(failed('DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate')).toMatchObject({
    retryable: false,
  })
  expect(failed('ENOTFOUND', 'getaddrinfo ENOTFOUND h')).toMatchObject({ retryable: false })
})

it('gives the reason of a failed TLS handshake, and not its place in OpenSSL', () => {
  const text =
    '40A399E6BA7F0000:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:../deps/openssl/ssl/tlsany_meth.c:78:\n'
  const { message } = networkError(Object.assign(new Error(text), { code: 'EPROTO' }), context)
  expect(message).toMatch(/did not complete a response: wrong version number$/)
})

describe('the remedy in the message', () => {
  const errorBody = (code: string, message: string) => JSON.stringify({ errors: [{ code, message }] })

  it.each([
    [
      403,
      errorBody('DENIED', 'adding 2 GiB of storage resource will exceed the configured upper limit of 1 GiB'),
    ],
    [412, errorBody('PROJECTPOLICYVIOLATION', 'quota exceeded')],
    [413, 'Quota has been exceeded on namespace'],
    [401, errorBody('QUOTA_EXCEEDED', 'no more')],
    [507, 'the quota of this project is used up'],
  ])('does not mention credentials for a quota reported by %i', (status, body) => {
    const error = errorOf(status, body)
    expect(error).toMatchObject({ code: 'QUOTA_EXCEEDED', retryable: false })
    expect(error.message).toContain('quota')
    expect(error.message).not.toContain('credentials')
  })

  it('does not take a repository called quota for a quota', () => {
    expect(errorOf(403, errorBody('DENIED', 'no access to team/quota-service, team/quota')).code).toBe(
      'DENIED',
    )
    expect(errorOf(429, 'Quota exceeded for requests a minute').code).toBe('RATE_LIMITED')
  })

  it('reports the wait that the registry requested, at most a day', () => {
    const limited = errorOf(429, errorBody('TOOMANYREQUESTS', 'slow down'), '90')
    expect(limited.message).toContain('it requests a wait of 90 seconds')
    expect(limited.message).toContain('RECORD_BROKER_REGISTRY_LIMITS')
    expect(errorOf(503, '', '7').message).toContain('it requests a wait of 7 seconds')
    expect(errorOf(403, errorBody('TOOMANYREQUESTS', 'slow down'))).toMatchObject({
      code: 'RATE_LIMITED',
      retryable: true,
    })
    expect(errorOf(429, '', '9'.repeat(40)).retryAfterMs).toBe(24 * 60 * 60 * 1000)
  })

  it("distinguishes Docker's schema 1 from a manifest that does not exist", () => {
    const body = errorBody(
      'MANIFEST_UNKNOWN',
      "media type 'application/vnd.docker.distribution.manifest.v1+prettyjws', but client accepts others",
    )
    expect(errorOf(404, body).message).toContain('schema 1')
  })

  it('names the setting if a host configured for plain HTTP requires TLS', () => {
    for (const body of [
      'Client sent an HTTP request to an HTTPS server.\n',
      '<html><title>400 The plain HTTP request was sent to HTTPS port</title></html>',
    ]) {
      expect(errorOf(400, body).message).toContain('remove r.example from RECORD_BROKER_PLAIN_HTTP')
    }
  })

  it('quotes the title of a page', () => {
    expect(errorOf(502, '<html><head><title>502 Bad Gateway</title></head></html>').message).toBe(
      'read x: r.example responded 502 (502 Bad Gateway)',
    )
  })
})
