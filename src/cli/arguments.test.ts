import { InvalidArgumentError } from 'commander'
import { describe, expect, it } from 'vitest'
import {
  collect,
  count,
  duration,
  durationOrNever,
  host,
  platform,
  projectName,
  reference,
  repositoryPattern,
  share,
} from './arguments.ts'

describe('the parser of', () => {
  it.each([
    [reference, 'registry.example/team/app:1.0', 'UPPER'],
    [host, 'registry.example:5000', 'not a host'],
    [platform, 'linux/arm/v7', 'linux'],
    [projectName, 'team-a', 'Team'],
    [repositoryPattern, 'registry.example/team/**', 'registry.example/*'],
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

  it('durations returns seconds', () => {
    expect(['0s', '90s', '15m', '12h', '30d'].map(duration)).toEqual([0, 90, 900, 43_200, 2_592_000])
    expect([durationOrNever('1h'), durationOrNever('never')]).toEqual([3600, 'never'])
    for (const text of ['', '1', 'h', '1w', '-1s', '1.5h', 'Never'])
      expect(() => durationOrNever(text)).toThrow(/expected a duration .*, or never/)
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
