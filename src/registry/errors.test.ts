import { describe, expect, it } from 'vitest'
import { networkError, responseError, retryAfterMs } from './transport/response-error.ts'

const answer = (status: number, body = '', retryAfter?: string) =>
  responseError({ status, body, retryAfter }, 'read x', 'r.example')

describe('answerError', () => {
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
  ])('%i is %s, retryable: %s', (status, code, retryable) => {
    expect(answer(status)).toMatchObject({ code, retryable, status, host: 'r.example', operation: 'read x' })
  })

  it("says what the registry said, on one line and without a page's markup", () => {
    const body = JSON.stringify({ errors: [{ code: 'DENIED', message: 'no\nway\u001b[31m' }] })
    expect(answer(403, body).message).toContain('read x: r.example answered 403 (DENIED: no way [31m)')
    expect(answer(502, '<html>Bad gateway</html>').message).toBe('read x: r.example answered 502')
    expect(answer(500, 'x'.repeat(10_000)).message.length).toBeLessThan(400)
    expect(answer(400, '{"errors":[null,"odd"]}').code).toBe('BAD_REQUEST')
  })
})

it('reads Retry-After as seconds and as a date', () => {
  expect(retryAfterMs('7')).toBe(7000)
  const now = Date.parse('Wed, 21 Oct 2026 07:28:00 GMT')
  expect(retryAfterMs('Wed, 21 Oct 2026 07:28:30 GMT', now)).toBe(30_000)
  expect(retryAfterMs('Wed, 21 Oct 2026 07:27:30 GMT', now)).toBe(0)
  expect(retryAfterMs('soon')).toBeUndefined()
})

it('tells a lost connection from a wrong certificate', () => {
  const failed = (code: string, message: string) =>
    networkError(Object.assign(new Error(message), { code }), 'read x', 'h')
  expect(failed('ECONNRESET', 'reset')).toMatchObject({ code: 'NETWORK', retryable: true })
  expect(failed('DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate')).toMatchObject({
    retryable: false,
  })
  expect(failed('ENOTFOUND', 'getaddrinfo ENOTFOUND h')).toMatchObject({ retryable: false })
})

describe('the setting or act that helps is named', () => {
  const errors = (code: string, message: string) => JSON.stringify({ errors: [{ code, message }] })

  it.each([
    [
      403,
      errors('DENIED', 'adding 2 GiB of storage resource will exceed the configured upper limit of 1 GiB'),
    ],
    [412, errors('PROJECTPOLICYVIOLATION', 'quota exceeded')],
    [413, 'Quota has been exceeded on namespace'],
    [401, errors('QUOTA_EXCEEDED', 'no more')],
    [507, 'the quota of this project is used up'],
  ])('a quota by %i is no matter of credentials', (status, body) => {
    const error = answer(status, body)
    expect(error).toMatchObject({ code: 'QUOTA_EXCEEDED', retryable: false })
    expect(error.message).toContain('quota')
    expect(error.message).not.toContain('credentials')
  })

  it('a repository that is called quota is no quota', () => {
    expect(answer(403, errors('DENIED', 'no access to team/quota-service, team/quota')).code).toBe('DENIED')
    expect(answer(429, 'Quota exceeded for requests a minute').code).toBe('RATE_LIMITED')
  })

  it('a wait that the registry asked for is told, and is a day at most', () => {
    const limited = answer(429, errors('TOOMANYREQUESTS', 'slow down'), '90')
    expect(limited.message).toContain('it asks to wait 90 seconds')
    expect(limited.message).toContain('RECORD_BROKER_REGISTRY_LIMITS')
    expect(answer(503, '', '7').message).toContain('it asks to wait 7 seconds')
    expect(answer(403, errors('TOOMANYREQUESTS', 'slow down'))).toMatchObject({
      code: 'RATE_LIMITED',
      retryable: true,
    })
    expect(answer(429, '', '9'.repeat(40)).retryAfterMs).toBe(24 * 60 * 60 * 1000)
  })

  it("Docker's schema 1 is told from what does not exist", () => {
    const body = errors(
      'MANIFEST_UNKNOWN',
      "media type 'application/vnd.docker.distribution.manifest.v1+prettyjws', but client accepts others",
    )
    expect(answer(404, body).message).toContain('schema 1')
  })

  it('TLS at a port that is spoken to without is told', () => {
    for (const body of [
      'Client sent an HTTP request to an HTTPS server.\n',
      '<html><title>400 The plain HTTP request was sent to HTTPS port</title></html>',
    ]) {
      expect(answer(400, body).message).toContain('take r.example out of RECORD_BROKER_PLAIN_HTTP')
    }
  })

  it('the title of a page is what it says', () => {
    expect(answer(502, '<html><head><title>502 Bad Gateway</title></head></html>').message).toBe(
      'read x: r.example answered 502 (502 Bad Gateway)',
    )
  })
})
