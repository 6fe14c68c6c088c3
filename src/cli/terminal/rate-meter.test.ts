import { describe, expect, it } from 'vitest'
import { RateMeter } from './rate-meter.ts'

describe('a rate', () => {
  it('is unknown until some time has passed, and while nothing moves', () => {
    const meter = new RateMeter()
    expect(meter.perSecond).toBeUndefined()
    meter.add(0, 0)
    meter.add(100, 1000)
    expect(meter.perSecond).toBeUndefined()
    const idle = new RateMeter()
    for (const atMs of [0, 1_000, 2_000]) idle.add(atMs, 5)
    expect(idle.perSecond).toBeUndefined()
    expect(idle.millisecondsUntil(10)).toBeUndefined()
  })

  it('is that of the last seconds, and tells the time left', () => {
    const meter = new RateMeter()
    for (let second = 0; second <= 60; second++) meter.add(second * 1000, Math.max(0, second - 30) * 100)
    expect(meter.perSecond).toBeCloseTo(100)
    expect(meter.millisecondsUntil(4_000)).toBeCloseTo(10_000)
  })

  it('starts anew when the value falls', () => {
    const meter = new RateMeter()
    meter.add(0, 0)
    meter.add(1_000, 1_000_000)
    meter.add(2_000, 0)
    meter.add(3_000, 10)
    expect(meter.perSecond).toBe(10)
  })
})
