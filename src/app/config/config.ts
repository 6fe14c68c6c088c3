import { readFileSync } from 'node:fs'
import type { BlockList } from 'node:net'
import { availableParallelism, homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { z } from 'zod'
import { ProjectName } from '../../access/projects/project.ts'
import { MAX_LIFETIME_SECONDS } from '../../access/tokens/token-lifetimes.ts'
import { type TracingConfig, TracingSettings, tracingConfig } from '../tracing/settings.ts'
import { BoundSettings, type ConfiguredBounds, configuredBounds } from './config-bounds.ts'
import { type EdgeConfig, EdgeSettings, edgeConfig } from './edge-settings.ts'
import { type LoginConfig, loginConfig, OidcSettings } from './oidc-settings.ts'
import {
  AddressRanges,
  BackingRegistry,
  CallbackOrigins,
  DatabaseUrl,
  HookSecretList,
  Hosts,
  Listen,
  LOOPBACK_HOSTS,
  PublicUrl,
  RegistryLimits,
  SecretKeys,
  ServerUrl,
  WebhookSecret,
  WebOrigins,
  wholeNumber,
} from './setting-values.ts'

const MIB = 1024 * 1024
const GIB = 1024 * MIB

/** An invalid setting. The message names the variable and the reason. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const LogLevel = z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])

const MAX_TOKEN_DAYS = MAX_LIFETIME_SECONDS / 86_400

/** All settings of the broker, by environment variable. */
const Environment = z.object({
  RECORD_BROKER_LISTEN: Listen.prefault('127.0.0.1:8080').describe(
    'the address of the HTTP server, host:port',
  ),
  RECORD_BROKER_PUBLIC_URL: PublicUrl.optional().describe(
    'the name of the broker to the outside, https://host[:port]; images of the embedded registry are named by it, and registry clients get their tokens there',
  ),
  RECORD_BROKER_CORS_ORIGINS: WebOrigins.prefault('').describe(
    'origins whose web pages may use the API from a browser, as https://host[:port], comma separated',
  ),
  ...EdgeSettings,
  RECORD_BROKER_DATA: z
    .string()
    .min(1)
    .prefault('data')
    .transform((path) => resolve(path))
    .describe('the data folder: database, embedded registry and scratch files'),
  RECORD_BROKER_REGISTRY: BackingRegistry.optional().describe(
    'the backing registry, host[:port][/prefix]; default: the embedded registry',
  ),
  RECORD_BROKER_PLAIN_HTTP: Hosts.prefault('').describe(
    'registries that are used over plain HTTP, comma separated',
  ),
  RECORD_BROKER_REGISTRIES: Hosts.prefault('').describe(
    'registries that the broker may connect to besides its own, comma separated',
  ),
  RECORD_BROKER_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]{16,}$/, 'expected at least 16 printable characters without spaces')
    .optional()
    .describe(
      "for `serve`, the operator's token, at least 16 characters: its holder is an administrator; for commands, the token that they send",
    ),
  RECORD_BROKER_TOKEN_MAX_DAYS: wholeNumber(1)
    .refine((days) => days <= MAX_TOKEN_DAYS, `expected at most ${MAX_TOKEN_DAYS}`)
    .optional()
    .describe('the longest time that API tokens are valid, in days; default: they need not expire'),
  RECORD_BROKER_SECRET_KEY: SecretKeys.optional().describe(
    'the key of API tokens, logins and stored credentials: 32 bytes in base64; several, comma separated, while it is replaced: the first is for new data; default with SQLite: the file secret.key in the data folder',
  ),
  ...OidcSettings,
  RECORD_BROKER_AUDIT_DAYS: wholeNumber(0)
    .prefault('365')
    .describe('how many days the audit log keeps what happens from now on; 0 records nothing'),
  RECORD_BROKER_SERVER: ServerUrl.optional().describe(
    'the broker that commands send their requests to; default: the address in RECORD_BROKER_LISTEN if that is set, or else the current login',
  ),
  RECORD_BROKER_PROJECT: ProjectName.optional().describe(
    'the project in which the commands of an administrator work; default: they see all projects, and what they create belongs to the project named default',
  ),
  RECORD_BROKER_METRICS_LISTEN: Listen.optional().describe(
    'a further address, host:port, which serves /metrics and /healthz only; a `worker` without a `serve` has no other',
  ),
  RECORD_BROKER_METRICS_ALLOW: AddressRanges.prefault('').describe(
    'addresses that may read /metrics without a token besides this machine, such as 10.0.0.0/8, comma separated',
  ),
  RECORD_BROKER_WORKER: z
    .enum(['local', 'none'])
    .prefault('local')
    .describe('whether `serve` runs a worker process of its own'),
  RECORD_BROKER_CONCURRENCY: wholeNumber(1)
    .prefault('4')
    .describe('jobs that a worker runs at the same time'),
  RECORD_BROKER_STALL_SECONDS: wholeNumber(1)
    .prefault('600')
    .describe(
      'a job whose bytes do not move for this long is stopped and retried; intended waits do not count',
    ),
  RECORD_BROKER_MAX_QUEUED: wholeNumber(1)
    .prefault('10000')
    .describe('the number of queued jobs; further jobs are refused with 503'),
  RECORD_BROKER_REGISTRY_LIMITS: RegistryLimits.prefault('').describe(
    'jobs that all workers together run with one registry at the same time, as host=NUMBER, or *=NUMBER for every other host, comma separated',
  ),
  RECORD_BROKER_CALLBACK_ORIGINS: CallbackOrigins.prefault('').describe(
    'origins that may receive callbacks, as https://host[:port], comma separated; needs RECORD_BROKER_CALLBACK_SECRET',
  ),
  RECORD_BROKER_CALLBACK_SECRET: WebhookSecret.optional().describe(
    'the key that signs callbacks (Standard Webhooks): whsec_ followed by 24 to 64 bytes in base64',
  ),
  RECORD_BROKER_HOOK_SECRET_DISTRIBUTION: HookSecretList.optional().describe(
    'the Authorization header that a distribution registry sends to /v1/hooks/distribution, at least 16 characters; several, comma separated, while it is replaced',
  ),
  RECORD_BROKER_HOOK_SECRET_HARBOR: HookSecretList.optional().describe(
    'the Authorization header that Harbor sends to /v1/hooks/harbor and /api/v1/conversions, at least 16 characters; several, comma separated, while it is replaced',
  ),
  RECORD_BROKER_HOOK_SECRET_CLOUDEVENTS: HookSecretList.optional().describe(
    'the Authorization header that zot or Harbor sends to /v1/hooks/cloudevents, at least 16 characters; several, comma separated, while it is replaced',
  ),
  RECORD_BROKER_LEASE_SECONDS: wholeNumber(2)
    .prefault('30')
    .describe(
      'how long a lease on a job lasts without renewal; afterwards another worker takes over the job',
    ),
  RECORD_BROKER_GRACE_SECONDS: wholeNumber(0)
    .prefault('10')
    .describe('how long running jobs may continue after a stop signal before they are released'),
  RECORD_BROKER_THREADS: wholeNumber(1)
    .prefault(String(availableParallelism()))
    .describe('layers that a worker converts at the same time'),
  RECORD_BROKER_SCRATCH_LIMIT: wholeNumber(MIB)
    .prefault(String(64 * GIB))
    .describe('bytes of scratch disk that one job may use'),
  RECORD_BROKER_DISK_RESERVE: wholeNumber(0)
    .prefault(String(64 * MIB))
    .describe("bytes of the data folder's disk that uploads and conversions leave free for the database"),
  RECORD_BROKER_CACHE_LAYERS: wholeNumber(0)
    .prefault('2000')
    .describe('converted layers that the cache holds; 0 disables the cache, that of images included'),
  RECORD_BROKER_CACHE_IMAGES: wholeNumber(0)
    .prefault('2000')
    .describe('results of whole conversions that the cache holds; 0 caches layers only'),
  ...BoundSettings,
  RECORD_BROKER_DOCKER_CONFIG: z
    .string()
    .optional()
    .describe("docker's config.json with registry credentials; default: $DOCKER_CONFIG or ~/.docker"),
  RECORD_BROKER_PROJECT_DOCKER_CONFIGS: z
    .string()
    .min(1)
    .transform((path) => resolve(path))
    .optional()
    .describe(
      'a folder with the registry credentials of projects: PROJECT/config.json or PROJECT/.dockerconfigjson, in the form of docker',
    ),
  RECORD_BROKER_CA: z
    .string()
    .min(1)
    .optional()
    .describe('a PEM file with additional certificate authorities'),
  DATABASE_URL: DatabaseUrl.optional().describe('the database; default: a SQLite file in the data folder'),
  DOCKER_CONFIG: z.string().optional().describe("the folder of docker's config.json"),
  RECORD_BROKER_LOG_LEVEL: LogLevel.optional().describe(
    'the lowest level that is logged: trace, debug, info, warn, error, fatal or silent; default: LOG_LEVEL, or info',
  ),
  LOG_LEVEL: LogLevel.prefault('info').describe('the same, if RECORD_BROKER_LOG_LEVEL is not set'),
  ...TracingSettings,
})
type Environment = z.output<typeof Environment>

/** A setting, for the help and the documentation. */
export type Setting = {
  readonly name: string
  readonly description: string
  /** The value if the variable is not set; omitted if there is none. */
  readonly default?: string
}

/** All settings in the order of the help. */
export const SETTINGS: readonly Setting[] = Object.entries(Environment.shape).map(([name, schema]) => ({
  name,
  description: schema.description ?? '',
  ...defaultOf(schema),
}))

/** Finds the text that a schema assumes for a missing value. */
function defaultOf(schema: z.core.$ZodType): Pick<Setting, 'default'> {
  const { def } = schema._zod
  if ('defaultValue' in def) return def.defaultValue === '' ? {} : { default: String(def.defaultValue) }
  if (schema instanceof z.ZodPipe) return defaultOf(schema.in)
  return {}
}

/** The parsed settings. Sizes are in bytes. */
export type Config = EdgeConfig & {
  readonly listen: { readonly host: string; readonly port: number }
  /** Whether a setting names the address, and not the default. */
  readonly isListenSet: boolean
  /** The broker that commands use; undefined if the settings do not name it. */
  readonly server: string | undefined
  /** The project that commands of an administrator work in; undefined if the settings do not name it. */
  readonly project: string | undefined
  /** The name of the broker to the outside; undefined if it is known by its address only. */
  readonly publicUrl: URL | undefined
  /** The origins whose pages may use the API from a browser. */
  readonly corsOrigins: ReadonlySet<string>
  readonly dataFolder: string
  readonly databaseUrl: string
  /** Undefined if the embedded registry is the backing registry. */
  readonly backingRegistry: { readonly host: string; readonly prefix: string } | undefined
  readonly plainHttp: readonly string[]
  readonly registries: readonly string[]
  readonly token: string | undefined
  /** How long the audit log keeps an event, in days; 0: nothing is recorded. */
  readonly auditDays: number
  /** The longest lifetime of API tokens, in days; undefined if they need not expire. */
  readonly tokenMaxDays: number | undefined
  /** The keys of the settings; undefined if they name none. */
  readonly secretKeys: readonly Buffer[] | undefined
  /** The file of policies for the tokens of OIDC issuers; undefined if none are accepted. */
  readonly oidcPoliciesFile: string | undefined
  /** Undefined if nobody logs in. */
  readonly login: LoginConfig | undefined
  /** The address that serves `/metrics` only; undefined if there is none. */
  readonly metricsListen: { readonly host: string; readonly port: number } | undefined
  /** The addresses that may read `/metrics` without a token. */
  readonly metricsAllowed: BlockList
  readonly localWorker: boolean
  readonly concurrency: number
  readonly stallSeconds: number
  readonly maxQueued: number
  /** Limits by host; `*` is every other host. An empty map means no limits. */
  readonly registryLimits: ReadonlyMap<string, number>
  readonly callbackOrigins: ReadonlySet<string>
  readonly callbackSecret: Buffer | undefined
  readonly hookSecrets: Readonly<
    Partial<Record<'distribution' | 'harbor' | 'cloudevents', readonly string[]>>
  >
  readonly leaseMs: number
  readonly graceMs: number
  readonly threads: number
  readonly scratchLimit: number
  readonly diskReserve: number
  /** The number of converted layers that the cache holds. */
  readonly cacheLayers: number
  readonly cacheImages: number
  readonly bounds: ConfiguredBounds
  readonly dockerConfigFile: string
  /** The folder with a docker config for each project; undefined if there is none. */
  readonly projectDockerConfigs: string | undefined
  readonly ca: string | undefined
  readonly logLevel: Environment['LOG_LEVEL']
  /** Undefined if traces are off. */
  readonly tracing: TracingConfig | undefined
}

/**
 * Reads the settings from the environment and from the file of `NAME=value` lines that `RECORD_BROKER_CONFIG`
 * names, if any. The environment has precedence. Listening beyond loopback requires a token.
 * @throws ConfigError that names the variable
 */
export function loadConfig(environment: Record<string, string | undefined> = process.env): Config {
  const values = withFile(environment)
  const unknown = Object.keys(values).find(
    (name) =>
      name.startsWith('RECORD_BROKER_') && name !== 'RECORD_BROKER_CONFIG' && !(name in Environment.shape),
  )
  if (unknown !== undefined)
    throw new ConfigError(`${unknown}: unknown setting; record-broker help settings lists the settings`)
  const parsed = Environment.safeParse(values)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new ConfigError(`${issue?.path.join('.')}: ${issue?.message}`)
  }
  const env = parsed.data
  const listen = env.RECORD_BROKER_LISTEN
  if (env.RECORD_BROKER_CALLBACK_ORIGINS.size > 0 && env.RECORD_BROKER_CALLBACK_SECRET === undefined) {
    throw new ConfigError(
      'RECORD_BROKER_CALLBACK_SECRET: required to sign callbacks, because RECORD_BROKER_CALLBACK_ORIGINS is set',
    )
  }
  const config: Config = {
    listen,
    isListenSet: 'RECORD_BROKER_LISTEN' in values,
    server: env.RECORD_BROKER_SERVER,
    project: env.RECORD_BROKER_PROJECT,
    publicUrl: env.RECORD_BROKER_PUBLIC_URL,
    corsOrigins: env.RECORD_BROKER_CORS_ORIGINS,
    ...edgeConfig(env, fail),
    dataFolder: env.RECORD_BROKER_DATA,
    databaseUrl: env.DATABASE_URL ?? `sqlite:${join(env.RECORD_BROKER_DATA, 'record-broker.sqlite')}`,
    backingRegistry: env.RECORD_BROKER_REGISTRY,
    plainHttp: env.RECORD_BROKER_PLAIN_HTTP,
    registries: env.RECORD_BROKER_REGISTRIES,
    token: env.RECORD_BROKER_TOKEN,
    auditDays: env.RECORD_BROKER_AUDIT_DAYS,
    tokenMaxDays: env.RECORD_BROKER_TOKEN_MAX_DAYS,
    secretKeys: env.RECORD_BROKER_SECRET_KEY,
    oidcPoliciesFile: env.RECORD_BROKER_OIDC_POLICIES,
    login: loginConfig(
      env,
      { publicUrl: env.RECORD_BROKER_PUBLIC_URL, plainHttp: env.RECORD_BROKER_PLAIN_HTTP },
      fail,
    ),
    metricsListen: env.RECORD_BROKER_METRICS_LISTEN,
    metricsAllowed: env.RECORD_BROKER_METRICS_ALLOW,
    localWorker: env.RECORD_BROKER_WORKER === 'local',
    concurrency: env.RECORD_BROKER_CONCURRENCY,
    stallSeconds: env.RECORD_BROKER_STALL_SECONDS,
    maxQueued: env.RECORD_BROKER_MAX_QUEUED,
    registryLimits: env.RECORD_BROKER_REGISTRY_LIMITS,
    callbackOrigins: env.RECORD_BROKER_CALLBACK_ORIGINS,
    callbackSecret: env.RECORD_BROKER_CALLBACK_SECRET,
    hookSecrets: hookSecrets(env),
    leaseMs: env.RECORD_BROKER_LEASE_SECONDS * 1000,
    graceMs: env.RECORD_BROKER_GRACE_SECONDS * 1000,
    threads: env.RECORD_BROKER_THREADS,
    scratchLimit: env.RECORD_BROKER_SCRATCH_LIMIT,
    diskReserve: env.RECORD_BROKER_DISK_RESERVE,
    cacheLayers: env.RECORD_BROKER_CACHE_LAYERS,
    cacheImages: env.RECORD_BROKER_CACHE_IMAGES,
    bounds: configuredBounds(env),
    dockerConfigFile: dockerConfigFile(env),
    projectDockerConfigs: env.RECORD_BROKER_PROJECT_DOCKER_CONFIGS,
    ca:
      env.RECORD_BROKER_CA === undefined ? undefined : readSetting('RECORD_BROKER_CA', env.RECORD_BROKER_CA),
    logLevel: env.RECORD_BROKER_LOG_LEVEL ?? env.LOG_LEVEL,
    tracing: tracingConfig(values, fail),
  }
  if (!LOOPBACK_HOSTS.has(listen.host) && !demandsCredential(config)) {
    throw new ConfigError(
      `RECORD_BROKER_LISTEN: ${listen.host} is reachable from other machines; set RECORD_BROKER_TOKEN, RECORD_BROKER_OIDC_POLICIES or RECORD_BROKER_LOGIN_ISSUER, or listen on 127.0.0.1`,
    )
  }
  return config
}

/** Whether requests need a credential: the settings name at least one way to identify callers. */
export function demandsCredential(config: Pick<Config, 'token' | 'oidcPoliciesFile' | 'login'>): boolean {
  return config.token !== undefined || config.oidcPoliciesFile !== undefined || config.login !== undefined
}

function fail(name: string, reason: string): never {
  throw new ConfigError(`${name}: ${reason}`)
}

/**
 * Sets variables of the environment that are not set, for libraries that read it themselves. Child processes
 * inherit them.
 */
export function setMissingVariables(variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) process.env[name] ??= value
}

/** The environment of the other processes of this broker, with the address it actually listens on. */
export function roleEnvironment(listen: Config['listen']): Record<string, string | undefined> {
  return { ...process.env, RECORD_BROKER_LISTEN: `${listen.host}:${listen.port}` }
}

function hookSecrets(env: Environment): Config['hookSecrets'] {
  const {
    RECORD_BROKER_HOOK_SECRET_DISTRIBUTION: distribution,
    RECORD_BROKER_HOOK_SECRET_HARBOR: harbor,
    RECORD_BROKER_HOOK_SECRET_CLOUDEVENTS: cloudevents,
  } = env
  return {
    ...(distribution && { distribution }),
    ...(harbor && { harbor }),
    ...(cloudevents && { cloudevents }),
  }
}

function withFile(environment: Record<string, string | undefined>): Record<string, string | undefined> {
  const file = environment.RECORD_BROKER_CONFIG
  const set = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  )
  return file ? { ...parseEnv(readSetting('RECORD_BROKER_CONFIG', file)), ...set } : set
}

function readSetting(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError(`${name}: ${(error as Error).message}`)
  }
}

function dockerConfigFile(env: Environment): string {
  return (
    env.RECORD_BROKER_DOCKER_CONFIG ?? join(env.DOCKER_CONFIG ?? join(homedir(), '.docker'), 'config.json')
  )
}
