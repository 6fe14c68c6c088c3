import type { HostNames } from '../oci/host-names.ts'
import { DOCKER_HUB, parseHost, parseRepository } from '../oci/reference.ts'

/** The host of the broker's own registry in patterns, whatever its names are. */
export const EMBEDDED_HOST = 'embedded'

/** An invalid pattern. The message says what is expected. */
export class InvalidPatternError extends Error {
  override readonly name = 'InvalidPatternError'
  readonly code = 'INVALID_PATTERN'
}

/** A pattern of one of three forms, see {@link parseRepositoryPattern}. */
export type RepositoryPattern =
  | { readonly kind: 'everything' }
  /** All repositories of a host. */
  | { readonly kind: 'host'; readonly host: string }
  /** A repository, and with `isPrefix` those below it instead. */
  | {
      readonly kind: 'repository'
      readonly host: string
      readonly repository: string
      readonly isPrefix: boolean
    }

/**
 * Parses a pattern: `registry.example/team/app` is one repository, `registry.example/team/**` all repositories
 * below `team/`, `registry.example/**` all of a registry, and `**` everything. The host `embedded` is the
 * broker's own registry. These forms, and no globs: what a pattern allows can be read off it, and an index can
 * answer it.
 * @throws InvalidPatternError
 */
export function parseRepositoryPattern(text: string): RepositoryPattern {
  if (text === '**') return { kind: 'everything' }
  const slash = text.indexOf('/')
  const path = text.slice(slash + 1)
  try {
    if (slash <= 0) throw new Error('no host')
    const registry = text.slice(0, slash)
    const host = registry === EMBEDDED_HOST ? registry : parseHost(registry)
    if (host !== EMBEDDED_HOST && host !== 'localhost' && !/[.:]/.test(host)) throw new Error('no host')
    if (path === '**') return { kind: 'host', host }
    const isPrefix = path.endsWith('/**')
    const named = parseRepository(isPrefix ? path.slice(0, -3) : path)
    // As in references: the images of Docker Hub without a team have this one.
    const isOfficial = host === DOCKER_HUB && !isPrefix && !named.includes('/')
    return { kind: 'repository', host, repository: isOfficial ? `library/${named}` : named, isPrefix }
  } catch {
    throw new InvalidPatternError(
      `${JSON.stringify(text.slice(0, 300))}: expected host/repository, host/path/** for all repositories below a path, host/** for a registry, or ** for everything; the host includes the registry, such as ${DOCKER_HUB}`,
    )
  }
}

type Location = { readonly host: string; readonly repository: string }

/** The repositories that a caller or a project may use: those that match at least one pattern. */
export class RepositoryPatterns {
  static readonly EVERYTHING = new RepositoryPatterns(['**'])
  static readonly NOTHING = new RepositoryPatterns([])

  /** As they were written. */
  readonly texts: readonly string[]
  readonly patterns: readonly RepositoryPattern[]

  /** @throws InvalidPatternError */
  constructor(texts: readonly string[]) {
    this.texts = texts
    this.patterns = texts.map(parseRepositoryPattern)
  }

  /** Whether every repository is allowed. */
  get isEverything(): boolean {
    return this.patterns.some(({ kind }) => kind === 'everything')
  }

  /**
   * Whether everything that `other` allows is allowed here, too. Hosts are compared as they are written: other names of
   * the broker's own registry count as other hosts.
   */
  covers(other: RepositoryPatterns): boolean {
    return other.patterns.every((inner) => this.patterns.some((outer) => includes(outer, inner)))
  }

  /** @param names the names of the broker's own registry */
  allows({ host, repository }: Location, names: HostNames): boolean {
    const isHost = (wanted: string) =>
      wanted === EMBEDDED_HOST ? names.hosts.includes(host) : names.all(host).includes(wanted)
    return this.patterns.some((pattern) => {
      if (pattern.kind === 'everything') return true
      if (!isHost(pattern.host)) return false
      if (pattern.kind === 'host') return true
      return pattern.isPrefix
        ? repository.startsWith(`${pattern.repository}/`)
        : repository === pattern.repository
    })
  }
}

function includes(outer: RepositoryPattern, inner: RepositoryPattern): boolean {
  if (outer.kind === 'everything') return true
  if (inner.kind === 'everything' || outer.host !== inner.host) return false
  if (outer.kind === 'host') return true
  if (inner.kind === 'host') return false
  const { repository, isPrefix } = outer
  if (!isPrefix) return !inner.isPrefix && inner.repository === repository
  const isBelow = inner.repository.startsWith(`${repository}/`)
  return isBelow || (inner.isPrefix && inner.repository === repository)
}
