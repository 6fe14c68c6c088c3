import type { HostNames } from '../oci/host-names.ts'
import { parseHost, parseRepository } from '../oci/reference.ts'
import { listRepositories } from './list-repositories.ts'
import { RegistryConnections } from './registry-connections.ts'
import type { RegistryOptions } from './registry-options.ts'
import { type Abortable, Repository } from './repository.ts'
import type { RepositoryRule } from './repository-rule.ts'

/** A client of any number of registries. Retains connections, tokens and what it learned about each host. */
export class RegistryClient implements AsyncDisposable {
  readonly #rule: RepositoryRule
  readonly #connections: RegistryConnections

  /** @param connections those of a client with the same options; default: its own */
  constructor(options: RegistryOptions = {}, connections = new RegistryConnections(options)) {
    this.#rule = options.allows ?? (() => true)
    this.#connections = connections
  }

  /** The names of the registry that has several. */
  get names(): HostNames {
    return this.#connections.names
  }

  /**
   * Returns a client that may use only what `rule` allows as well. It shares everything with this one, so only this one
   * is closed.
   */
  restricted(rule: RepositoryRule): RegistryClient {
    const allows: RepositoryRule = (location, use) => this.#rule(location, use) && rule(location, use)
    return new RegistryClient({ allows }, this.#connections)
  }

  /**
   * Returns the repository that a reference names. Sends no request. Operations that the rule of this client forbids
   * fail with REPOSITORY_NOT_ALLOWED before any request.
   * @throws RegistryError HOST_NOT_ALLOWED; InvalidReferenceError
   */
  repository(reference: { readonly host: string; readonly repository: string }): Repository {
    const host = parseHost(reference.host)
    const repository = parseRepository(reference.repository)
    return new Repository(this.#connections.host(host), repository, this.#rule)
  }

  /**
   * Yields all repositories of a registry that has a catalog and that this client may read.
   * @throws RegistryError HOST_NOT_ALLOWED; DENIED if the registry has no catalog
   */
  async *listRepositories(host: string, options: Abortable = {}): AsyncGenerator<string> {
    const registry = this.#connections.host(parseHost(host))
    for await (const repository of listRepositories(registry, options.signal)) {
      if (this.#rule({ host: registry.host, repository }, 'read')) yield repository
    }
  }

  /** Closes all connections; requests in progress fail. */
  close(): Promise<void> {
    return this.#connections.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
