import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { parseHost } from '../../oci/reference.ts'
import { runCredentialHelper } from './credential-helper.ts'
import { type CredentialSource, type Credentials, CredentialsError } from './credentials.ts'

const AuthEntry = z.looseObject({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
})
const DockerConfig = z.looseObject({
  auths: z.record(z.string(), AuthEntry).nullish(),
  credHelpers: z.record(z.string(), z.string()).nullish(),
  credsStore: z.string().nullish(),
})
type DockerConfig = z.infer<typeof DockerConfig>

const HELPER_TIMEOUT_MS = 30_000

/**
 * Creates a source of the credentials in docker's config.json: `credHelpers`, then `credsStore`, then
 * `auths`. It reads the file at each call, so a login takes effect at once. A missing file contains no
 * credentials.
 * @param path default: `~/.docker/config.json`
 * @param helperTimeoutMs how long a credential helper may run
 * @returns a source that throws CredentialsError if the file or a helper fails
 */
export function createDockerConfigSource(
  path: string = join(homedir(), '.docker', 'config.json'),
  helperTimeoutMs = HELPER_TIMEOUT_MS,
): CredentialSource {
  return async (host) => {
    const config = await readConfig(path)
    const helper = findByHost(config.credHelpers ?? {}, host) ?? (config.credsStore || undefined)
    const fromHelper =
      helper === undefined ? undefined : await runCredentialHelper(helper, host, helperTimeoutMs)
    return fromHelper ?? credentialsFromAuths(config, host, path)
  }
}

async function readConfig(path: string): Promise<DockerConfig> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new CredentialsError(`${path}: ${(error as Error).message}`)
  }
  try {
    return DockerConfig.parse(JSON.parse(text))
  } catch (error) {
    const issue = error instanceof z.ZodError ? error.issues[0] : undefined
    // The message of a JSON parser quotes the text, which contains secrets.
    const problem = issue ? `${issue.path.join('.')}: ${issue.message}` : 'not valid JSON'
    throw new CredentialsError(`${path}: ${problem}`)
  }
}

function credentialsFromAuths(config: DockerConfig, host: string, path: string): Credentials | undefined {
  const entry = findByHost(config.auths ?? {}, host)
  if (entry === undefined) return undefined
  if (entry.identitytoken) return { identityToken: entry.identitytoken }
  if (entry.auth) {
    const text = Buffer.from(entry.auth, 'base64').toString('utf8')
    const colon = text.indexOf(':')
    if (colon < 0) throw new CredentialsError(`${path}: auths: the entry of ${host} is not user:password`)
    // Docker pads the password with NUL.
    return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, '') }
  }
  if (entry.username && entry.password) return { username: entry.username, password: entry.password }
  return undefined
}

/**
 * Returns the entry whose key names this host: as `host`, as `https://host`, or with docker's old `/v1/`
 * path.
 */
function findByHost<Entry>(entries: Readonly<Record<string, Entry>>, host: string): Entry | undefined {
  const matches = Object.entries(entries).filter(([key]) => hostOfKey(key) === withoutDefaultPort(host))
  return (matches.find(([key]) => key === host) ?? matches[0])?.[1]
}

function hostOfKey(key: string): string | undefined {
  const match = /^(?:https?:\/\/)?([^/]+)(?:\/(?:v[12]\/?)?)?$/.exec(key)
  try {
    return match?.[1] === undefined ? undefined : withoutDefaultPort(parseHost(match[1]))
  } catch {
    return undefined
  }
}

function withoutDefaultPort(host: string): string {
  return host.replace(/:443$/, '')
}
