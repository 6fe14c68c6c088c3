import { type ExpressionBuilder, type SqlBool, sql } from 'kysely'
import {
  EMBEDDED_HOST,
  type RepositoryPattern,
  type RepositoryPatterns,
} from '../access/repository-patterns.ts'
import type { TermFilter } from '../db/terms/term-query.ts'
import type { HostNames } from '../oci/host-names.ts'
import { canonical, type Location, locationName } from './location.ts'

/**
 * A set of repositories: the one with this name, or, if the path ends with `/`, all whose names begin with it. The empty
 * path stands for all repositories. Of two sets, one contains the other, or they have nothing in common.
 */
type Place = string

/** The term of a repository, and that of a path above it. */
export type PlaceTerms = { readonly at: (name: string) => string; readonly in: (path: string) => string }

/** The repositories of the catalogue that a caller may read. */
export class VisibleRepositories {
  readonly #names: HostNames
  readonly #places: readonly Place[]

  /** @param lists each must allow a repository */
  constructor(lists: readonly RepositoryPatterns[], names: HostNames) {
    this.#names = names
    this.#places = lists
      .map(({ patterns }) => patterns.map((pattern) => placeOf(pattern, names)))
      .reduce((all, places) => withoutContained(intersect(all, places)), [''])
  }

  /** Whether there is nothing to filter. */
  get isEverything(): boolean {
    return this.#places.includes('')
  }

  allows(location: Location): boolean {
    const name = locationName(canonical(this.#names, location))
    return this.#places.some((place) => contains(place, name))
  }

  /** The filter for items with the terms of {@link placeTermsOf}; none if everything is visible. */
  filters(terms: PlaceTerms): readonly TermFilter[] {
    if (this.isEverything) return []
    return [{ anyOf: this.#places.map((place) => (place.endsWith('/') ? terms.in(place) : terms.at(place))) }]
  }

  /** A condition on a column with the names of repositories. */
  condition(column: string) {
    const name = sql.ref(column)
    // The tables of the query are known to the caller.
    // biome-ignore lint/suspicious/noExplicitAny: see above
    return ({ or, lit }: ExpressionBuilder<any, any>) =>
      this.isEverything
        ? lit(true)
        : or(
            this.#places.map((place) =>
              place.endsWith('/')
                ? sql<SqlBool>`(${name} >= ${place} and ${name} < ${`${place.slice(0, -1)}${AFTER_SLASH}`})`
                : sql<SqlBool>`${name} = ${place}`,
            ),
          )
  }
}

/** Follows `/`. */
const AFTER_SLASH = '0'

/** The terms of a repository: its own, and those of all paths above it. */
export function placeTermsOf(location: Location, terms: PlaceTerms): string[] {
  const name = locationName(location)
  const paths = [...name.matchAll(/\//g)].map(({ index }) => name.slice(0, index + 1))
  return [terms.at(name), ...paths.map((path) => terms.in(path))]
}

function placeOf(pattern: RepositoryPattern, names: HostNames): Place {
  if (pattern.kind === 'everything') return ''
  // Without an own registry, no repository has this host.
  const host =
    pattern.host === EMBEDDED_HOST ? (names.hosts[0] ?? EMBEDDED_HOST) : names.preferred(pattern.host)
  if (pattern.kind === 'host') return `${host}/`
  return `${host}/${pattern.repository}${pattern.isPrefix ? '/' : ''}`
}

function contains(place: Place, other: Place): boolean {
  return place === '' || place.endsWith('/') ? other.startsWith(place) : other === place
}

function intersect(one: readonly Place[], other: readonly Place[]): Place[] {
  return one.flatMap((a) => other.flatMap((b) => (contains(a, b) ? [b] : contains(b, a) ? [a] : [])))
}

/** What remains has nothing in common, so that no item is counted twice. */
function withoutContained(places: readonly Place[]): Place[] {
  const distinct = [...new Set(places)]
  return distinct.filter((place) => !distinct.some((other) => other !== place && contains(other, place)))
}
