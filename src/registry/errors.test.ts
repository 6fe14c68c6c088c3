import { describe, expect, it } from 'vitest'
import { answerError, networkError, retryAfterMs } from './errors.ts'

const answer = (status: number, body = '', retryAfter?: string) =>
  answerError({ status, body, retryAfter }, 'read x', 'r.example')

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
