import fc from 'fast-check'
import { expect, it } from 'vitest'
import { afterFailure, MAX_FAILURES, MAX_THROTTLES } from './job.ts'

const passing = (more: object = {}) =>
  Object.assign(new Error('busy'), { code: 'UNAVAILABLE', retryable: true, ...more })

it('waits longer after each failure, spread over the whole time, and never less than was asked for', () => {
  const random = fc.double({ min: 0, max: 0.999, noNaN: true })
  fc.assert(
    fc.property(fc.nat(MAX_FAILURES - 2), random, fc.nat(100_000), (failures, r, retryAfterMs) => {
      const decision = afterFailure(passing({ retryAfterMs }), { failures, throttles: 0 }, r)
      if (decision.act !== 'retry') throw new Error(decision.act)
      expect(decision.delayMs).toBeGreaterThanOrEqual(retryAfterMs)
      expect(decision.delayMs).toBeLessThanOrEqual(Math.max(retryAfterMs, 1_000 * 2 ** failures, 0))
    }),
  )
})

it('gives up after so many failures, and at once on what does not pass', () => {
  const act = (error: unknown, failures: number) => afterFailure(error, { failures, throttles: 0 }, 0).act
  expect(act(passing(), MAX_FAILURES - 2)).toBe('retry')
  expect(act(passing(), MAX_FAILURES - 1)).toBe('fail')
  expect(act(Object.assign(new Error('gone'), { code: 'NOT_FOUND' }), 0)).toBe('fail')
  expect(act('thrown', 0)).toBe('fail')
})

it('takes a 429 for the registry, not for the job', () => {
  const cause = Object.assign(new Error('slow down'), { host: 'r.test' })
  const error = Object.assign(new Error('slow down', { cause }), {
    code: 'RATE_LIMITED',
    retryable: true,
    retryAfterMs: 4_000,
  })
  expect(afterFailure(error, { failures: MAX_FAILURES, throttles: 3 }, 0)).toMatchObject({
    act: 'throttle',
    delayMs: 4_000,
    pausedHost: 'r.test',
  })
  expect(afterFailure(error, { failures: 0, throttles: MAX_THROTTLES - 1 }, 0).act).toBe('fail')
})
