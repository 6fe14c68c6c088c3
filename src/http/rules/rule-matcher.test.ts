import { describe, expect, it } from 'vitest'
import { parseReference } from '../../oci/reference.ts'
import { EventLoopYielder } from '../event-loop-yielder.ts'
import { GlobSteps } from './glob-steps.ts'
import { Rule } from './rule.ts'
import { RuleMatcher } from './rule-matcher.ts'

const TARGET = '{host}/{repository}:{tag}-esgz'

function matches(fields: object, image: string): Promise<boolean> {
  const rule = Rule.parse({ name: 'r', target: TARGET, ...fields })
  const work = new GlobSteps(1).work('team', new EventLoopYielder())
  return new RuleMatcher(rule).matches(parseReference(image), work)
}

describe('a rule', () => {
  it.each([
    ['r.test/team/**', 'r.test/team/app:1', true],
    ['r.test/team/**', 'r.test/team/a/b/c:1', true],
    ['r.test/team/**', 'r.test/other/app:1', false],
    ['r.test/*', 'r.test/app:1', true],
    ['r.test/*', 'r.test/team/app:1', false],
    ['*.test/**/app', 'r.test/a/b/app:1', true],
    ['r.test/app-?', 'r.test/app-1:1', true],
    ['r.test/{team,other}/app', 'r.test/other/app:1', true],
    ['r.test/app-[a-c]', 'r.test/app-b:1', true],
  ])('with source %s and image %s: %s', async (source, image, expected) => {
    expect(await matches({ source }, image)).toBe(expected)
  })

  it('matches tags, except for excluded ones, and only while it is enabled', async () => {
    const fields = { source: '**', tags: ['v*', 'latest'], exceptTags: ['*-dev'] }
    expect(await matches(fields, 'r.test/app:v1')).toBe(true)
    expect(await matches(fields, 'r.test/app:latest')).toBe(true)
    expect(await matches(fields, 'r.test/app:v1-dev')).toBe(false)
    expect(await matches(fields, 'r.test/app:1')).toBe(false)
    expect(await matches({ ...fields, enabled: false }, 'r.test/app:v1')).toBe(false)
  })

  it.each([
    ['stars in one segment', { source: `r.test/${'*a'.repeat(145)}b` }],
    ['stars across segments', { source: `r.test/${'**/a/'.repeat(58)}b` }],
    ['alternatives', { source: `r.test/${'{a,a}'.repeat(58)}b` }],
    ['alternatives and stars', { source: `r.test/${'{a,a}*'.repeat(48)}b` }],
    ['stars for the tag', { source: '**', tags: [`${'*a'.repeat(149)}b`] }],
  ])('with a hostile glob is matched at once: %s', async (_, fields) => {
    const repository = 'source' in fields && fields.source.includes('/a/') ? 'a/'.repeat(127) : ''
    const image = `r.test/${repository}${'a'.repeat(255 - repository.length)}:${'a'.repeat(128)}`
    const startedAt = process.cpuUsage()
    const result = await matches(fields, image).catch((error: { code?: string }) => error.code)
    const { user, system } = process.cpuUsage(startedAt)
    expect([false, 'GLOBS_TOO_COSTLY']).toContain(result)
    // A match takes up to 20 ms; a backtracking matcher would take hours.
    expect((user + system) / 1000).toBeLessThan(1_000)
  })
})
