import { join } from 'node:path'
import type { DiskRoom } from '../bytes/disk-room.ts'
import { SingleFlight } from '../concurrency/single-flight.ts'
import { ThreadPool } from '../conversion/layers/thread-pool.ts'
import type { ConversionCache } from '../conversion/reuse/conversion-cache.ts'
import type { ConversionServices } from '../conversion/services.ts'
import type { RegistryLimits } from '../jobs/queue/registry-limits.ts'
import { RecordFinder } from '../records/images/finder.ts'
import { dockerConfigCredentials } from '../registry/auth/credentials.ts'
import { RegistryClient } from '../registry/client.ts'
import type { Config } from './config.ts'
import { VERSION } from './version.ts'

/** Where the broker itself stores images. */
export type Backing = { readonly host: string; readonly prefix: string }

/** Addresses that mean every interface: nobody can connect to them. */
const WILDCARDS = new Set<string>(['0.0.0.0', '[::]'])

/** Threads of an analyzer process, which look into the layers of an image side by side. */
export const ANALYZER_THREADS = 2

/** The names under which a broker with these settings reaches its own embedded registry; the first is the usual one. */
export function embeddedHosts({ host, port }: Config['listen']): [string, ...string[]] {
  const name = WILDCARDS.has(host) ? '127.0.0.1' : host
  const loopback = WILDCARDS.has(host) || name === '127.0.0.1' || name === 'localhost'
  const others = loopback ? ['127.0.0.1', 'localhost'].filter((other) => other !== name) : []
  return [`${name}:${port}`, ...others.map((other) => `${other}:${port}`)]
}

/** The registry that the broker publishes to unless told otherwise. */
export function backingRegistry(config: Config): Backing {
  return config.backingRegistry ?? { host: embeddedHosts(config.listen)[0], prefix: '' }
}

/**
 * The registries that may be spoken to, with what is needed to do so.
 * @param more hosts allowed besides those of the settings
 */
export function openRegistries(
  config: Config,
  more: { hosts?: readonly string[]; plainHttp?: readonly string[]; onWarning?: Warn } = {},
): RegistryClient {
  // A command of a broker whose port is chosen at its start does not know where that listens.
  const isKnown = config.backingRegistry === undefined && config.listen.port !== 0
  const own: readonly string[] = isKnown ? embeddedHosts(config.listen) : []
  const allowed = new Set<string>([
    ...own,
    backingRegistry(config).host,
    ...config.registries,
    ...(more.hosts ?? []),
  ])
  const fromDocker = dockerConfigCredentials(config.dockerConfigFile)
  const { token } = config
  return new RegistryClient({
    userAgent: `record-broker/${VERSION}`,
    allowedHosts: (host) => allowed.has(host),
    plainHttp: [...own, ...config.plainHttp, ...(more.plainHttp ?? [])],
    credentials: async (host) =>
      token !== undefined && own.includes(host)
        ? { username: 'record-broker', password: token }
        : fromDocker(host),
    ca: config.ca,
    bounds: config.bounds.answers,
    onWarning: more.onWarning,
  })
}

type Warn = (host: string, text: string) => void

/** Finds record images, for whoever has the registries open. */
export function recordFinder(config: Config, registries: RegistryClient): RecordFinder {
  return new RecordFinder({
    repository: (at) => registries.repository(at),
    backing: backingRegistry(config),
  })
}

/** What conversions and verifications need. The caller disposes of `threads` and `registries`. */
export function conversionServices(
  config: Config,
  registries: RegistryClient,
  storedRecord: ConversionServices['storedRecord'],
  more: {
    readonly scratchFolder?: string
    readonly room?: DiskRoom
    readonly cache?: ConversionCache | undefined
  } = {},
): ConversionServices {
  return {
    registries,
    threads: new ThreadPool(config.threads, config.bounds.threadMemory),
    scratch: {
      folder: more.scratchFolder ?? join(config.dataFolder, 'scratch'),
      limit: config.scratchLimit,
      room: more.room,
    },
    limits: config.bounds.layer,
    bounds: config.bounds.request,
    layersUnderWay: new SingleFlight(),
    cache: more.cache,
    recordLimits: config.bounds.record,
    maxRecordSteps: config.bounds.recordSteps,
    storedRecord,
    finder: recordFinder(config, registries),
  }
}

/** How many jobs with a registry may run at once; undefined when the settings limit none. */
export function registryLimits({ registryLimits: limits }: Config): RegistryLimits | undefined {
  return limits.size === 0 ? undefined : (host) => limits.get(host) ?? limits.get('*')
}
