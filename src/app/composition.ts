import { join } from 'node:path'
import type { DiskSpace } from '../bytes/disk-space.ts'
import type { ScratchUsage } from '../bytes/scratch.ts'
import { SingleFlight } from '../concurrency/single-flight.ts'
import { ThreadPool } from '../conversion/layers/thread-pool.ts'
import type { ConversionCache } from '../conversion/reuse/conversion-cache.ts'
import type { ConversionServices } from '../conversion/services.ts'
import { HostNames } from '../oci/host-names.ts'
import { parseReference } from '../oci/reference.ts'
import { RecordFinder } from '../records/images/record-finder.ts'
import { createDockerConfigSource } from '../registry/auth/docker-config.ts'
import { RegistryClient } from '../registry/client.ts'
import type { RegistryObserver } from '../registry/transport/registry-observer.ts'
import type { Config } from './config.ts'
import { reachableHost } from './listen.ts'
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

/**
 * Opens a client for the allowed registries.
 * @param options.hosts hosts that are allowed besides those of the settings
 * @param options.plainHttp hosts that use plain HTTP besides those of the settings
 */
export function openRegistries(
  config: Config,
  options: {
    hosts?: readonly string[]
    plainHttp?: readonly string[]
    onWarning?: Warn
    observer?: RegistryObserver
  } = {},
): RegistryClient {
  // With port 0 the broker chooses its port when it starts, so another process cannot know the address.
  const hasFixedAddress = config.backingRegistry === undefined && config.listen.port !== 0
  const own: readonly string[] = hasFixedAddress ? embeddedHosts(config) : []
  const names = new HostNames(own)
  const allowed = new Set<string>([
    ...own,
    backingRegistry(config).host,
    ...config.registries,
    ...(options.hosts ?? []),
  ])
  const fromDocker = createDockerConfigSource(config.dockerConfigFile)
  const { token } = config
  return new RegistryClient({
    userAgent: `record-broker/${VERSION}`,
    allowedHosts: (host) => allowed.has(host),
    ...(hasFixedAddress && { own: { names, address: localHosts(config.listen)[0] } }),
    plainHttp: [...config.plainHttp, ...(options.plainHttp ?? [])],
    credentials: async (host) =>
      token !== undefined && own.includes(host)
        ? { username: 'record-broker', password: token }
        : fromDocker(host),
    ca: config.ca,
    bounds: config.bounds.responses,
    onWarning: options.onWarning,
    observer: options.observer,
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

/** Creates a finder of record images in the backing registry. */
export function recordFinder(config: Config, registries: RegistryClient): RecordFinder {
  return new RecordFinder({
    openRepository: (at) => registries.repository(at),
    backing: backingRegistry(config),
    names: registries.names,
  })
}

/**
 * Creates the services of conversions and verifications. The caller disposes of `threads` and `registries`.
 */
export function conversionServices(
  config: Config,
  registries: RegistryClient,
  findUploadedRecord: ConversionServices['findUploadedRecord'],
  options: {
    readonly scratchFolder?: string
    readonly diskSpace?: DiskSpace
    readonly scratchUsage?: ScratchUsage
    readonly cache?: ConversionCache | undefined
  } = {},
): ConversionServices {
  return {
    registries,
    threads: new ThreadPool(config.threads, config.bounds.threadMemory),
    scratch: {
      folder: options.scratchFolder ?? join(config.dataFolder, 'scratch'),
      limitBytes: config.scratchLimit,
      diskSpace: options.diskSpace,
      usage: options.scratchUsage,
    },
    limits: config.bounds.layer,
    bounds: config.bounds.request,
    layersInProgress: new SingleFlight(),
    cache: options.cache,
    recordLimits: config.bounds.record,
    maxRecordSteps: config.bounds.recordSteps,
    findUploadedRecord,
    recordFinder: recordFinder(config, registries),
  }
}
