import { describe, expect, it } from 'vitest'
import { HostNames } from '../oci/host-names.ts'
import { parseReference } from '../oci/reference.ts'
import { InvalidPatternError, RepositoryPatterns } from './repository-patterns.ts'

const OWN = new HostNames(['broker.example', '127.0.0.1:8080', 'localhost:8080'])

function allows(patterns: readonly string[], reference: string): boolean {
  return new RepositoryPatterns(patterns).allows(parseReference(reference), OWN)
}

describe('a pattern', () => {
  it.each([
    ['registry.example/team/app', ['registry.example/team/app:1']],
    ['registry.example/team/**', ['registry.example/team/app', 'registry.example/team/deep/er/app']],
    ['registry.example/**', ['registry.example/app', 'registry.example/team/app']],
    ['**', ['registry.example/app', 'docker.io/library/alpine', '127.0.0.1:8080/a/b']],
    ['embedded/team/**', ['broker.example/team/app', '127.0.0.1:8080/team/app', 'localhost:8080/team/app']],
    ['localhost:8080/team/app', ['broker.example/team/app']],
    ['docker.io/library/alpine', ['alpine', 'index.docker.io/library/alpine:3']],
    ['index.docker.io/library/**', ['alpine']],
    ['docker.io/alpine', ['alpine', 'docker.io/library/alpine']],
    ['REGISTRY.example/team/app', ['registry.example/team/app']],
  ])('%s allows what it names', (pattern, references) => {
    for (const reference of references)
      expect([reference, allows([pattern], reference)]).toEqual([reference, true])
  })

  it.each([
    [
      'registry.example/team/app',
      ['registry.example/team/app2', 'registry.example/team/app/x', 'other.example/team/app'],
    ],
    [
      'registry.example/team/**',
      ['registry.example/team', 'registry.example/teams/app', 'registry.example/x/team/app'],
    ],
    [
      'registry.example/**',
      ['registry.example.evil.example/app', 'registry.example:444/app', 'sub.registry.example/app'],
    ],
    ['embedded/team/**', ['registry.example/team/app', 'embedded.example/team/app']],
    ['docker.io/library/**', ['docker.io/team/app']],
  ])('%s allows nothing else', (pattern, references) => {
    for (const reference of references)
      expect([reference, allows([pattern], reference)]).toEqual([reference, false])
  })

  it.each([
    '',
    '*',
    'team/app',
    'registry.example',
    'registry.example/',
    'registry.example/*',
    'registry.example/te*m/app',
    'registry.example/**/app',
    'registry.example/team/**/**',
    'registry.example/Team/app',
    'registry.example/team/../other/**',
    'registry.example//team',
    'registry.example/team/app:1.0',
    'https://registry.example/team/app',
    '**/app',
    '/team/app',
    'user@registry.example/app',
  ])('%j is not one', (text) => {
    expect(() => new RepositoryPatterns([text])).toThrow(InvalidPatternError)
  })
})

it('no patterns allow nothing', () => {
  expect(allows([], 'registry.example/team/app')).toBe(false)
  expect(RepositoryPatterns.NOTHING.isEverything).toBe(false)
  expect(RepositoryPatterns.EVERYTHING.isEverything).toBe(true)
})

it('one of several patterns suffices', () => {
  const patterns = ['registry.example/team/app', 'other.example/**']
  expect(allows(patterns, 'other.example/x')).toBe(true)
  expect(allows(patterns, 'registry.example/team/app')).toBe(true)
  expect(allows(patterns, 'registry.example/team/b')).toBe(false)
})

describe('a set of patterns covers another', () => {
  it.each([
    [['**'], ['r.test/**', '**'], true],
    [['r.test/**'], ['r.test/a', 'r.test/a/**', 'r.test/**'], true],
    [['r.test/a/**'], ['r.test/a/b', 'r.test/a/b/**', 'r.test/a/**'], true],
    [['r.test/a/**', 's.test/x'], ['s.test/x', 'r.test/a/b'], true],
    [['r.test/a'], ['r.test/a'], true],
    [['r.test/a'], [], true],
    [['r.test/**'], ['**'], false],
    [['r.test/a/**'], ['r.test/**'], false],
    [['r.test/a/**'], ['r.test/a'], false],
    [['r.test/a/**'], ['r.test/ab/c'], false],
    [['r.test/a'], ['r.test/a/**'], false],
    [['r.test/a', 'r.test/a/**'], ['r.test/**'], false],
    [['r.test/**'], ['s.test/a'], false],
    [['embedded/**'], ['broker.example/a'], false],
    [[], ['r.test/a'], false],
  ])('%j and %j: %s', (outer, inner, expected) => {
    expect(new RepositoryPatterns(outer).covers(new RepositoryPatterns(inner))).toBe(expected)
  })
})
