import { SETTINGS, type Setting } from '../../app/config/config.ts'

/** The groups of settings in the order of the help. */
export const SETTING_GROUPS = [
  'commands',
  'server',
  'identities',
  'observability',
  'jobs',
  'catalogue',
  'callbacks and hooks',
  'registries',
  'conversions',
  'bounds of requests',
  'bounds of records',
  'bounds of images',
] as const
export type SettingGroup = (typeof SETTING_GROUPS)[number]

/** The first pattern that matches a name, with or without `RECORD_BROKER_`, decides. */
const PATTERNS: readonly (readonly [RegExp, SettingGroup])[] = [
  [/^(SERVER|PROJECT)$/, 'commands'],
  [/CALLBACK|HOOK_SECRET/, 'callbacks and hooks'],
  [/^(OIDC_|LOGIN_)/, 'identities'],
  [/^(LOG_|OTEL_|TRAC|METRICS|AUDIT_)/, 'observability'],
  [/^(REGISTRY|REGISTRIES|PLAIN_HTTP|DOCKER_CONFIG|PROJECT_DOCKER_CONFIGS|CA)$/, 'registries'],
  [/^(SCAN_|MAX_CATALOGUE_)/, 'catalogue'],
  [/^(MAX_RECORD_)/, 'bounds of records'],
  [
    /^MAX_(LAYER_BYTES|ENTRIES|INDEX_BYTES|TOC_BYTES|ZSTD_WINDOW|LAYERS|PLATFORMS|REPORT_LAYERS)$/,
    'bounds of images',
  ],
  [/^MAX_(MANIFESTS|REQUEST_ENTRIES|REQUEST_BYTES|JSON_DEPTH|PAGES|LIST_BYTES)$/, 'bounds of images'],
  [/^(THREADS|THREAD_MEMORY|SCRATCH_LIMIT|CACHE_)/, 'conversions'],
  [/^(WORKER|CONCURRENCY|STALL_|LEASE_|GRACE_|MAX_QUEUED|REGISTRY_LIMITS|MAX_RULES)|_SERIES_DAYS$/, 'jobs'],
  [
    /^(LISTEN|PUBLIC_URL|CORS_|ALLOWED_HOSTS|TRUSTED_PROXIES|TLS_|DATA|TOKEN|SECRET_KEY|DATABASE_URL|DISK_RESERVE)/,
    'server',
  ],
  [/./, 'bounds of requests'],
]

/** Returns the group of a setting. */
function groupOf({ name }: Setting): SettingGroup {
  const short = name.replace(/^RECORD_BROKER_/, '')
  return PATTERNS.find(([pattern]) => pattern.test(short))?.[1] ?? 'server'
}

/** Returns the settings of a group in the order of their declaration. */
export function settingsIn(group: SettingGroup): Setting[] {
  return SETTINGS.filter((setting) => groupOf(setting) === group)
}

/** Settings of other groups that commands with a broker use, too. */
const USED_BY_COMMANDS = ['RECORD_BROKER_LISTEN', 'RECORD_BROKER_TOKEN', 'RECORD_BROKER_CA']

/** Returns the settings that apply to a command with this group. */
export function settingsFor(group: SettingGroup): Setting[] {
  if (group !== 'commands') return settingsIn(group)
  return [...settingsIn(group), ...SETTINGS.filter(({ name }) => USED_BY_COMMANDS.includes(name))]
}
