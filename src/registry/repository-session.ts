import { type RepositoryAccess, repositoryScope } from './auth/scopes.ts'
import type { RegistryHost, RegistryRequest } from './registry-host.ts'
import { type RepositoryRule, type RepositoryUse, repositoryNotAllowed } from './repository-rule.ts'

/** A request within a session, which adds the host, the scopes and the signal. */
export type SessionRequest = Omit<RegistryRequest, 'host' | 'url' | 'scopes' | 'signal'> & {
  /** A path below `/v2/<repository>/`, or an address from one of the registry's responses. */
  readonly target: string | URL
  /** Scopes that the request needs in addition to that of the session. */
  readonly additionalScopes?: readonly string[]
}

export type SessionOptions = {
  readonly registry: RegistryHost
  readonly repository: string
  /** What the token of its requests is for. */
  readonly access: RepositoryAccess
  readonly rule: RepositoryRule
  readonly signal: AbortSignal | undefined
}

/**
 * One operation on one repository: the host, name, token scope and abort signal of its requests, and whether the
 * repository may be used for it.
 */
export class RepositorySession {
  readonly registry: RegistryHost
  readonly repository: string
  readonly signal: AbortSignal | undefined
  readonly #options: SessionOptions
  readonly #use: RepositoryUse
  readonly #scope: string

  private constructor(options: SessionOptions, use: RepositoryUse) {
    this.registry = options.registry
    this.repository = options.repository
    this.signal = options.signal
    this.#options = options
    this.#use = use
    this.#scope = repositoryScope(options.repository, options.access)
  }

  /** Starts an operation: one that pulls reads the repository, and any other one writes it. */
  static open(options: SessionOptions): RepositorySession {
    return new RepositorySession(options, options.access === 'pull' ? 'read' : 'write')
  }

  get host(): string {
    return this.registry.host
  }

  /** Returns a session of the same operation whose requests use another token scope. */
  withAccess(access: RepositoryAccess): RepositorySession {
    return new RepositorySession({ ...this.#options, access }, this.#use)
  }

  /**
   * Checks that the operation may use a repository of this registry.
   * @throws RegistryError REPOSITORY_NOT_ALLOWED
   */
  assertAllowed(repository: string, use: RepositoryUse, operation: string): void {
    const location = { host: this.host, repository }
    if (!this.#options.rule(location, use)) throw repositoryNotAllowed(location, use, operation)
  }

  /**
   * Builds a request of this session. It is also the context of the errors of that request.
   * @throws RegistryError REPOSITORY_NOT_ALLOWED
   */
  request({ target, additionalScopes = [], ...request }: SessionRequest): RegistryRequest {
    this.assertAllowed(this.repository, this.#use, request.operation)
    return {
      ...request,
      host: this.host,
      url: typeof target === 'string' ? `/v2/${this.repository}/${target}` : target,
      scopes: [this.#scope, ...additionalScopes],
      signal: this.signal,
    }
  }
}
