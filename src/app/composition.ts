import type { CredentialStore } from '../access/credentials/credential-store.ts'
import { createProjectSource, versionOfFiles } from '../access/credentials/project-source.ts'
import type { ProjectDirectory } from '../access/projects/project-directory.ts'
import { ProjectRegistries } from '../access/registries/project-registries.ts'
import { projectAccess, repositoryRule } from '../access/registries/project-rule.ts'
import type { RegistryTokens } from '../access/registry/registry-tokens.ts'
import type { DiskSpace } from '../bytes/disk-space.ts'
import type { ScratchUsage } from '../bytes/scratch.ts'
import { SingleFlight } from '../concurrency/single-flight.ts'
import { ThreadPool } from '../conversion/layers/thread-pool.ts'
import type { ConversionServices } from '../conversion/services.ts'
import { ProjectScope } from '../db/project-scope.ts'
import { HostNames } from '../oci/host-names.ts'
import { parseReference } from '../oci/reference.ts'
import { RecordFinder } from '../records/images/record-finder.ts'
import type { CredentialSource } from '../registry/auth/credentials.ts'
import { createDockerConfigSource } from '../registry/auth/docker-config.ts'
import { RegistryClient } from '../registry/client.ts'
import type { RepositoryRule } from '../registry/repository-rule.ts'
import type { RegistryObserver } from '../registry/transport/registry-observer.ts'
import type { Config } from './config/config.ts'
import { reachableHost } from './listen.ts'
import { OwnCertificate } from './tls/own-certificate.ts'
import { VERSION } from './version.ts'

/** The registry, and the prefix of repositories, where the broker stores its own images. */
export type Backing = { readonly host: string; readonly prefix: string }

/** Threads of an analyzer process, which read the layers of an image concurrently. */
export const ANALYZER_THREADS = 2

/**
 * The hosts that name the broker's own embedded registry in references, the preferred one first: the public
 * name, then the address that the broker listens on, then the other names of this machine.
 */
export function embeddedHosts({
  listen,
  publicUrl,
}: Pick<Config, 'listen' | 'publicUrl'>): [string, ...string[]] {
  const local = localHosts(listen)
  if (publicUrl === undefined) return local
  const { host, port, protocol } = publicUrl
  // References may name the port that is the default. They must if nothing else marks the name as a host.
  const withPort = port === '' ? `${host}:${protocol === 'https:' ? 443 : 80}` : host
  const [first, ...others] =
    parseReference(`${host}/name`).host === host ? [host, withPort, ...local] : [withPort, ...local]
  return [first, ...new Set(others.filter((name) => name !== first))]
}

/** The hosts under which this machine reaches an address that a broker listens on. */
function localHosts(listen: Config['listen']): [string, ...string[]] {
  const { port } = listen
  const name = reachableHost(listen)
  const loopback = name === '127.0.0.1' || name === 'localhost'
  const others = loopback ? ['127.0.0.1', 'localhost'].filter((other) => other !== name) : []
  return [`${name}:${port}`, ...others.map((other) => `${other}:${port}`)]
}

/** The registry that record images are published to by default. */
export function backingRegistry(config: Config): Backing {
  return config.backingRegistry ?? { host: embeddedHosts(config)[0], prefix: '' }
}

/** The names of the embedded registry; none if there is no such registry, or its address is not known yet. */
function ownNames(config: Config): HostNames {
  // With port 0 the broker chooses its port when it starts, so another process cannot know the address.
  const hasFixedAddress = config.backingRegistry === undefined && config.listen.port !== 0
  return new HostNames(hasFixedAddress ? embeddedHosts(config) : [])
}

type RegistriesOptions = {
  /** Hosts that are allowed besides those of the settings. */
  readonly hosts?: readonly string[]
  /** Hosts that use plain HTTP besides those of the settings. */
  readonly plainHttp?: readonly string[]
  /** The credentials of other registries than the embedded one; default: docker's config.json. */
  readonly credentials?: CredentialSource
  /** The repositories that may be used; default: all. */
  readonly allows?: RepositoryRule
  /** Makes tokens for the embedded registry; default: the operator's token is used there. */
  readonly ownTokens?: RegistryTokens | undefined
  /** Whose tokens; default: those of the broker's own work. */
  readonly ownScope?: ProjectScope
  readonly onWarning?: Warn
  readonly observer?: RegistryObserver
}

/** Opens a client for the allowed registries. */
export function openRegistries(config: Config, options: RegistriesOptions = {}): RegistryClient {
  const names = ownNames(config)
  const own = names.hosts
  const allowed = new Set<string>([
    ...own,
    backingRegistry(config).host,
    ...config.registries,
    ...(options.hosts ?? []),
  ])
  const certificate = config.tls && new OwnCertificate(config.tls.cert)
  const isCertificate = certificate && ((presented: Buffer) => certificate.matches(presented))
  const credentials = options.credentials ?? createDockerConfigSource(config.dockerConfigFile)
  const { token } = config
  const { ownTokens, ownScope = ProjectScope.ALL } = options
  const ownToken = ownTokens && (() => ownTokens.forWorker(ownScope))
  return new RegistryClient({
    userAgent: `record-broker/${VERSION}`,
    allowedHosts: (host) => allowed.has(host),
    ...(own.length > 0 && {
      own: { names, address: localHosts(config.listen)[0], isCertificate, token: ownToken },
    }),
    plainHttp: [...config.plainHttp, ...(options.plainHttp ?? [])],
    credentials: async (host) =>
      token !== undefined && own.includes(host)
        ? { username: 'record-broker', password: token }
        : credentials(host),
    allows: options.allows,
    ca: config.ca,
    bounds: config.bounds.responses,
    onWarning: options.onWarning,
    observer: options.observer,
  })
}

/**
 * Opens the registries as projects see them: each with its own credentials, and for the repositories that its rules
 * allow.
 */
export function openProjectRegistries(
  config: Config,
  {
    projects,
    credentials,
    ...options
  }: Pick<RegistriesOptions, 'ownTokens' | 'onWarning' | 'observer'> & {
    readonly projects: Pick<ProjectDirectory, 'get'>
    readonly credentials: CredentialStore
  },
): ProjectRegistries {
  const names = ownNames(config)
  const fromDocker = createDockerConfigSource(config.dockerConfigFile)
  const storedOf = (project: string) => credentials.in(ProjectScope.of(project))
  return new ProjectRegistries({
    projects,
    credentialsVersion: async (project) => {
      const files = { folder: config.projectDockerConfigs, shared: config.dockerConfigFile }
      return `${await storedOf(project).version()} ${await versionOfFiles(project, files)}`
    },
    open: ({ name, usesDockerConfig, ...project }) =>
      openRegistries(config, {
        ...options,
        ownScope: ProjectScope.of(name),
        credentials: createProjectSource(name, {
          stored: storedOf(name),
          folder: config.projectDockerConfigs,
          shared: usesDockerConfig ? fromDocker : undefined,
        }),
        allows: repositoryRule(projectAccess(project), names),
      }),
  })
}

type Warn = (host: string, text: string) => void

/** The limits of the settings, with the preferred name of a registry that has several. The lowest one counts. */
export function registryLimits(
  { registryLimits: limits }: Pick<Config, 'registryLimits'>,
  names: HostNames,
): ReadonlyMap<string, number> {
  const preferred = new Map<string, number>()
  for (const [host, limit] of limits) {
    const name = names.preferred(host)
    preferred.set(name, Math.min(limit, preferred.get(name) ?? limit))
  }
  return preferred
}

/** Creates a finder of the record images of a project in the backing registry. */
export function recordFinder(config: Config, registries: RegistryClient, project?: string): RecordFinder {
  return new RecordFinder({
    openRepository: (at) => registries.repository(at),
    backing: backingRegistry(config),
    names: registries.names,
    project,
  })
}

/** What the conversions and verifications of all projects share. */
type SharedServices = Omit<
  ConversionServices,
  'project' | 'registries' | 'cache' | 'findUploadedRecord' | 'recordFinder'
>

/** The caller disposes of `threads`. */
export function sharedServices(
  config: Config,
  scratch: {
    readonly folder: string
    readonly diskSpace?: DiskSpace
    readonly usage?: ScratchUsage
  },
): SharedServices {
  return {
    threads: new ThreadPool(config.threads, config.bounds.threadMemory),
    scratch: { ...scratch, limitBytes: config.scratchLimit },
    limits: config.bounds.layer,
    bounds: config.bounds.request,
    layersInProgress: new SingleFlight(),
    recordLimits: config.bounds.record,
    maxRecordSteps: config.bounds.recordSteps,
  }
}
