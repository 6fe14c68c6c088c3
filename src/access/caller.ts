import { ProjectScope } from '../db/project-scope.ts'
import { RepositoryPatterns } from './repository-patterns.ts'
import type { Scope } from './scope.ts'

/**
 * How a caller identified itself: `operator` by the token of the settings, `local` by nothing on a broker that
 * demands no credential, `token` by an API token, `workload` by a token of an OIDC issuer, `person` by a login in
 * the browser, `hook` by the secret of a registry, `worker` as a process of this broker.
 */
export const CALLER_KINDS = ['operator', 'local', 'token', 'workload', 'person', 'hook', 'worker'] as const
export type CallerKind = (typeof CALLER_KINDS)[number]

export type CallerIdentity = {
  readonly kind: CallerKind
  /** Who it is, for people: the name of a token, the `sub` of an OIDC token. */
  readonly subject: string
  /** The issuer of an OIDC token. */
  readonly issuer?: string | undefined
  readonly tokenId?: string | undefined
}

/** Which repositories may be used: every set must allow them, that of the credential and that of its project. */
export type RepositoryAccess = {
  readonly read: readonly RepositoryPatterns[]
  readonly write: readonly RepositoryPatterns[]
}

/** No restriction. */
export const EVERYTHING: RepositoryAccess = {
  read: [RepositoryPatterns.EVERYTHING],
  write: [RepositoryPatterns.EVERYTHING],
}

/** Who sends a request, and what it may do. */
export class Caller {
  readonly identity: CallerIdentity
  readonly scopes: ReadonlySet<Scope>
  /** The project that it works in, and whether it sees others. */
  readonly projectScope: ProjectScope
  readonly access: RepositoryAccess
  /** What the credential itself allows, whatever its project does. */
  readonly ownAccess: RepositoryAccess

  constructor(options: {
    readonly identity: CallerIdentity
    readonly scopes: Iterable<Scope>
    readonly projectScope: ProjectScope
    readonly access: RepositoryAccess
    /** Default: `access`. */
    readonly ownAccess?: RepositoryAccess
  }) {
    this.identity = options.identity
    this.scopes = new Set(options.scopes)
    this.projectScope = options.projectScope
    this.access = options.access
    this.ownAccess = options.ownAccess ?? options.access
  }

  get project(): string {
    return this.projectScope.project
  }

  get isAdmin(): boolean {
    return this.scopes.has('admin')
  }

  has(scope: Scope): boolean {
    return this.isAdmin || this.scopes.has(scope)
  }

  /** The same caller within one project, whose patterns apply, too. */
  within(
    project: string,
    access: { readonly read: RepositoryPatterns; readonly write: RepositoryPatterns },
  ): Caller {
    return new Caller({
      identity: this.identity,
      scopes: this.scopes,
      projectScope: ProjectScope.of(project),
      access: { read: [...this.access.read, access.read], write: [...this.access.write, access.write] },
      ownAccess: this.ownAccess,
    })
  }
}
