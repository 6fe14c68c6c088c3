import { describe, expect, it } from 'vitest'
import { RepositoryPatterns } from '../../access/repository-patterns.ts'
import { HostNames } from '../../oci/host-names.ts'
import { allowedPart, sourceReach, targetReach } from './rule-reach.ts'

const names = new HostNames(['broker.test', '127.0.0.1:8080'])

describe('the repositories that a rule can reach', () => {
  it.each([
    ['r.test/team/app', 'r.test/team/app', true],
    ['r.test/team/**', 'r.test/team/', false],
    ['r.test/te?m/app', 'r.test/te', false],
    ['r.test/{a,b}/app', 'r.test/', false],
    ['r.test/a\\*b', 'r.test/a', false],
    ['**', '', false],
  ])('as sources: %s', (glob, text, isExact) => {
    expect(sourceReach(glob)).toEqual({ text, isExact })
  })

  it.each([
    ['{host}/{repository}:{tag}-esgz', 'r.test/team/**', 'r.test/team/', false],
    ['{host}/{repository}-esgz:{tag}', 'r.test/team/app', 'r.test/team/app-esgz', true],
    ['{host}/lazy/{name}:{tag}', 'r.test/team/**', 'r.test/lazy/', false],
    ['o.test:5000/lazy/{repository}:{tag}', 'r.test/team/**', 'o.test:5000/lazy/team/', false],
    ['o.test/app:{tag}', '**', 'o.test/app', true],
    ['{host}/{repository}:{tag}', '**', '', false],
    ['{host}/{repository}:{tag}', 'r.te*/team/app', '', false],
    ['lazy/{name}:{tag}', 'r.test/team/**', '', false],
    ['lazy/app:1', '**', 'docker.io/lazy/app', true],
  ])('as targets: %s of %s', (template, glob, text, isExact) => {
    expect(targetReach(template, sourceReach(glob))).toEqual({ text, isExact })
  })

  it.each([
    ['r.test/team/**', ['r.test/team/**'], 'all'],
    ['r.test/team/**', ['r.test/**'], 'all'],
    ['r.test/team/**', ['**'], 'all'],
    ['r.test/team/**', ['r.test/team/a/**'], 'some'],
    ['r.test/team/**', ['r.test/team/app'], 'some'],
    ['r.test/team/app', ['r.test/team/app'], 'all'],
    ['r.test/team/app', ['r.test/team/app/**'], 'none'],
    ['r.test/team/**', ['r.test/other/**', 'o.test/**'], 'none'],
    ['r.test/team/**', [], 'none'],
    ['r.test/te*', ['r.test/other/**'], 'none'],
    ['**', ['r.test/team/app'], 'some'],
    ['127.0.0.1:8080/team/**', ['embedded/team/**'], 'all'],
    ['broker.test/team/**', ['127.0.0.1:8080/team/**'], 'all'],
    ['broker.test/team/app', ['embedded/other/**'], 'none'],
  ])('%s within %j: %s', (glob, patterns, part) => {
    expect(allowedPart(sourceReach(glob), new RepositoryPatterns(patterns), names)).toBe(part)
  })
})
