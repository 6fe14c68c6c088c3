import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decideAfterFailure, MAX_FAILURES, MAX_THROTTLES } from './failure-policy.ts'

const retryableError = (fields: object = {}) =>
  Object.assign(new Error('busy'), { code: 'UNAVAILABLE', retryable: true, ...fields })

it('waits longer after each failure, with full jitter, and never less than the error requests', () => {
  const random = fc.double({ min: 0, max: 0.999, noNaN: true })
  fc.assert(
    fc.property(fc.nat(MAX_FAILURES - 2), random, fc.nat(100_000), (failures, r, retryAfterMs) => {
      const decision = decideAfterFailure(retryableError({ retryAfterMs }), { failures, throttles: 0 }, r)
      if (decision.kind !== 'retry') throw new Error(decision.kind)
      expect(decision.delayMs).toBeGreaterThanOrEqual(retryAfterMs)
      expect(decision.delayMs).toBeLessThanOrEqual(Math.max(retryAfterMs, 1_000 * 2 ** failures, 0))
    }),
  )
})

it('fails the job after MAX_FAILURES failures, and at once after an error that is not retryable', () => {
  const decide = (error: unknown, failures: number) =>
    decideAfterFailure(error, { failures, throttles: 0 }, 0).kind
  expect(decide(retryableError(), MAX_FAILURES - 2)).toBe('retry')
  expect(decide(retryableError(), MAX_FAILURES - 1)).toBe('fail')
  expect(decide(Object.assign(new Error('gone'), { code: 'NOT_FOUND' }), 0)).toBe('fail')
  expect(decide('thrown', 0)).toBe('fail')
})

it('attributes a 429 to the registry, not to the job', () => {
  const cause = Object.assign(new Error('slow down'), { host: 'r.test' })
  const error = Object.assign(new Error('slow down', { cause }), {
    code: 'RATE_LIMITED',
    retryable: true,
    retryAfterMs: 4_000,
  })
  expect(decideAfterFailure(error, { failures: MAX_FAILURES, throttles: 3 }, 0)).toMatchObject({
    kind: 'throttle',
    delayMs: 4_000,
    pausedHost: 'r.test',
  })
  expect(decideAfterFailure(error, { failures: 0, throttles: MAX_THROTTLES - 1 }, 0).kind).toBe('fail')
})
