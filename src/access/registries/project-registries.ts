import type { RegistryClient } from '../../registry/client.ts'
import { type CallerAccess, parseAccess } from '../caller-access.ts'
import { ProjectNotFoundError } from '../projects/errors.ts'
import type { Project } from '../projects/project.ts'
import { repositoryRule } from './project-rule.ts'

/** Clients that are kept: each has its own connections, tokens, and notes on hosts. */
const MAX_CLIENTS = 50

/** A client of a project's registries until it is disposed of. */
export type UsedRegistries = AsyncDisposable & { readonly client: RegistryClient }

type Entry = {
  readonly client: RegistryClient
  /** What the client was made of: the rules and the credentials of its project. */
  readonly version: string
  users: number
  isRetired: boolean
}

export type ProjectRegistriesOptions = {
  readonly projects: { get(name: string): Promise<Project | undefined> }
  /** Returns a text that changes with the credentials of a project. */
  readonly credentialsVersion: (project: string) => Promise<string>
  /** Opens a client with the credentials and for the repositories of a project. */
  readonly open: (project: Project) => RegistryClient
  readonly maxClients?: number
}

/**
 * The registries as projects see them: each has a client of its own, so that the tokens and the connections of one
 * never serve another. A client is replaced when the rules or the credentials of its project change, and closed when
 * nobody uses it any more.
 */
export class ProjectRegistries implements AsyncDisposable {
  readonly #options: ProjectRegistriesOptions
  /** The latest client of each project, the least recently used first. */
  readonly #entries = new Map<string, Entry>()
  readonly #maxClients: number

  constructor(options: ProjectRegistriesOptions) {
    this.#options = options
    this.#maxClients = options.maxClients ?? MAX_CLIENTS
  }

  /** Returns the client of a project. @throws ProjectNotFoundError */
  async use(name: string): Promise<UsedRegistries> {
    const { projects, credentialsVersion } = this.#options
    const project = await projects.get(name)
    if (!project) throw new ProjectNotFoundError(name)
    const { read, write, usesDockerConfig } = project
    const version = JSON.stringify([read, write, usesDockerConfig, await credentialsVersion(name)])
    const entry = this.#take(project, version)
    return {
      client: entry.client,
      [Symbol.asyncDispose]: async () => {
        entry.users--
        await this.#closeIfUnused(entry)
      },
    }
  }

  /** Returns the client of a caller's project, for the repositories that the caller itself may use. */
  async useAs(caller: CallerAccess): Promise<UsedRegistries> {
    const used = await this.use(caller.project)
    const rule = repositoryRule(parseAccess(caller).access, used.client.names)
    return {
      client: used.client.restricted(rule),
      [Symbol.asyncDispose]: () => used[Symbol.asyncDispose](),
    }
  }

  /** Takes the client synchronously, so that nobody closes it in between. */
  #take(project: Project, version: string): Entry {
    const known = this.#entries.get(project.name)
    this.#entries.delete(project.name)
    if (known && known.version !== version) this.#retire(known)
    const entry =
      known?.version === version
        ? known
        : { client: this.#options.open(project), version, users: 0, isRetired: false }
    entry.users++
    this.#entries.set(project.name, entry)
    this.#evict()
    return entry
  }

  /** Clients in use stay, so there may be more for a while: as many as jobs or requests run. */
  #evict(): void {
    for (const [name, entry] of this.#entries) {
      if (this.#entries.size <= this.#maxClients) return
      if (entry.users > 0) continue
      this.#entries.delete(name)
      this.#retire(entry)
    }
  }

  #retire(entry: Entry): void {
    entry.isRetired = true
    void this.#closeIfUnused(entry)
  }

  async #closeIfUnused(entry: Entry): Promise<void> {
    if (entry.isRetired && entry.users === 0) await entry.client.close()
  }

  /** Closes all clients; requests in progress fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    const entries = [...this.#entries.values()]
    this.#entries.clear()
    await Promise.all(entries.map(({ client }) => client.close()))
  }
}
