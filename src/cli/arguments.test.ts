import { InvalidArgumentError } from 'commander'
import { describe, expect, it } from 'vitest'
import { collect, count, host, platform, reference, share } from './arguments.ts'

describe('the parser of', () => {
  it.each([
    [reference, 'registry.example/team/app:1.0', 'UPPER'],
    [host, 'registry.example:5000', 'not a host'],
    [platform, 'linux/arm/v7', 'linux'],
  ])('%o returns the text if it is valid', (parse, valid, invalid) => {
    expect(parse(valid)).toBe(valid)
    expect(() => parse(invalid)).toThrow(InvalidArgumentError)
  })

  it('counts accepts whole numbers only', () => {
    expect(count('0')).toBe(0)
    expect(count('65536')).toBe(65_536)
    for (const text of ['-1', '1.5', '1e3', '', '1234567890123']) {
      expect(() => count(text)).toThrow('expected a whole number')
    }
  })

  it('shares accepts numbers above 0, up to 1', () => {
    expect([share('0.5'), share('.25'), share('1')]).toEqual([0.5, 0.25, 1])
    for (const text of ['0', '1.5', '-0.5', 'half']) expect(() => share(text)).toThrow(InvalidArgumentError)
  })

  it('repeated options collects their values in order', () => {
    const values = ['linux/amd64', 'linux/arm64'].reduce<string[] | undefined>(
      (previous, text) => collect(platform)(text, previous),
      undefined,
    )
    expect(values).toEqual(['linux/amd64', 'linux/arm64'])
  })
})
