import { type RepositoryAccess, repositoryScope } from './auth/scopes.ts'
import type { RegistryHost, RegistryRequest } from './registry-host.ts'

/** A request within a session, which adds the host, the scopes and the signal. */
export type SessionRequest = Omit<RegistryRequest, 'host' | 'url' | 'scopes' | 'signal'> & {
  /** A path below `/v2/<repository>/`, or an address from one of the registry's responses. */
  readonly target: string | URL
  /** Scopes that the request needs in addition to that of the session. */
  readonly additionalScopes?: readonly string[]
}

/** One operation on one repository: the host, name, token scope and abort signal of its requests. */
export class RepositorySession {
  readonly registry: RegistryHost
  readonly repository: string
  readonly signal: AbortSignal | undefined
  readonly #scope: string

  constructor(
    registry: RegistryHost,
    repository: string,
    access: RepositoryAccess,
    signal: AbortSignal | undefined,
  ) {
    this.registry = registry
    this.repository = repository
    this.signal = signal
    this.#scope = repositoryScope(repository, access)
  }

  get host(): string {
    return this.registry.host
  }

  /** Returns a session of the same operation whose requests use another token scope. */
  withAccess(access: RepositoryAccess): RepositorySession {
    return new RepositorySession(this.registry, this.repository, access, this.signal)
  }

  /** Builds a request of this session. It is also the context of the errors of that request. */
  request({ target, additionalScopes = [], ...request }: SessionRequest): RegistryRequest {
    return {
      ...request,
      host: this.host,
      url: typeof target === 'string' ? `/v2/${this.repository}/${target}` : target,
      scopes: [this.#scope, ...additionalScopes],
      signal: this.signal,
    }
  }
}
