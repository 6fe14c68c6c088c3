import { describe, expect, it } from 'vitest'
import { RepositoryPatterns } from '../access/repository-patterns.ts'
import { HostNames } from '../oci/host-names.ts'
import { splitLocation } from './location.ts'
import { placeTermsOf, VisibleRepositories } from './visible-repositories.ts'

const names = new HostNames(['own.test:5000', 'localhost:5000'])
const terms = { at: (name: string) => `at ${name}`, in: (path: string) => `in ${path}` }
const HOSTS = ['own.test:5000', 'r.test', 'other.test']
const REPOSITORIES = ['team', 'team/app', 'team/app/deep', 'team-b/app', 'teams', 'x/team/app']
const LOCATIONS = HOSTS.flatMap((host) => REPOSITORIES.map((name) => `${host}/${name}`))
const PATTERNS = [
  '**',
  'r.test/**',
  'r.test/team/**',
  'r.test/team',
  'r.test/team/app',
  'r.test/team/app/**',
  'embedded/team/**',
  'localhost:5000/**',
  'own.test:5000/team/app',
]

/** The repositories that an index shows with the filters. */
function found(visible: VisibleRepositories): string[] {
  const filters = visible.filters(terms)
  return LOCATIONS.filter((name) => {
    const own = placeTermsOf(splitLocation(name), terms)
    return filters.every((filter) => 'anyOf' in filter && filter.anyOf.some((term) => own.includes(term)))
  })
}

describe('the repositories that lists of patterns allow together', () => {
  const lists = [
    [],
    ...PATTERNS.map((pattern) => [pattern]),
    ['r.test/team', 'r.test/team/**', 'r.test/team/app'],
    ['embedded/team/app', 'r.test/**', 'other.test/x/**'],
  ]

  it('are the same in an index as one by one, for all pairs of lists', () => {
    for (const one of lists) {
      for (const other of lists) {
        const access = [new RepositoryPatterns(one), new RepositoryPatterns(other)]
        const visible = new VisibleRepositories(access, names)
        const expected = LOCATIONS.filter((name) =>
          access.every((patterns) => patterns.allows(splitLocation(name), names)),
        )
        const label = JSON.stringify([one, other])
        expect([label, found(visible)]).toEqual([label, expected])
        expect([label, LOCATIONS.filter((name) => visible.allows(splitLocation(name)))]).toEqual([
          label,
          expected,
        ])
      }
    }
  })

  it('need no filter if they are all', () => {
    const everything = new VisibleRepositories([RepositoryPatterns.EVERYTHING], names)
    expect(everything.isEverything).toBe(true)
    expect(everything.filters(terms)).toEqual([])
    expect(new VisibleRepositories([], names).isEverything).toBe(true)
    const nothing = new VisibleRepositories([RepositoryPatterns.NOTHING], names)
    expect(nothing.filters(terms)).toEqual([{ anyOf: [] }])
  })

  it('have nothing in common, so that no item counts twice', () => {
    const list = ['r.test/team/**', 'r.test/team/app', 'r.test/team/app/**', 'r.test/team']
    const visible = new VisibleRepositories([new RepositoryPatterns(list)], names)
    expect(visible.filters(terms)).toEqual([{ anyOf: ['in r.test/team/', 'at r.test/team'] }])
  })

  it('are none of the embedded registry without one', () => {
    const patterns = new RepositoryPatterns(['embedded/**'])
    const visible = new VisibleRepositories([patterns], new HostNames([]))
    expect(LOCATIONS.filter((name) => visible.allows(splitLocation(name)))).toEqual([])
  })
})
