import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { DOCKER_HUB, parseHost } from '../../oci/reference.ts'

/** What a registry, or its token server, is shown. */
export type Credentials =
  | { readonly username: string; readonly password: string }
  | { readonly identityToken: string }

/** Finds the credentials for a registry's host, as references name it; undefined: none, be anonymous. */
export type CredentialSource = (host: string) => Promise<Credentials | undefined>

/** Credentials that are configured but cannot be had. */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsError'
  readonly code = 'CREDENTIALS'
}

const DockerConfig = z.looseObject({
  auths: z
    .record(
      z.string(),
      z.looseObject({
        auth: z.string().optional(),
        username: z.string().optional(),
        password: z.string().optional(),
        identitytoken: z.string().optional(),
      }),
    )
    .nullish(),
  credHelpers: z.record(z.string(), z.string()).nullish(),
  credsStore: z.string().nullish(),
})
type DockerConfig = z.infer<typeof DockerConfig>

const HelperAnswer = z.looseObject({ Username: z.string(), Secret: z.string() })

/** The key of Docker Hub in docker's config.json and in its helpers. */
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/'
const HELPER_TIMEOUT_MS = 30_000
const HELPER_OUTPUT_BYTES = 1024 * 1024

/**
 * Reads credentials from docker's config.json: `credHelpers`, then `credsStore`, then `auths`. The file is
 * read at every question, so a login takes effect at once; a file that does not exist holds none.
 * @param path default `~/.docker/config.json`
 * @param helperMs how long a helper may take to answer
 * @throws CredentialsError from the source, when the file or a helper is broken
 */
export function dockerConfigCredentials(
  path: string = join(homedir(), '.docker', 'config.json'),
  helperMs = HELPER_TIMEOUT_MS,
): CredentialSource {
  return async (host) => {
    const config = await readConfig(path)
    const helper = findByHost(config.credHelpers ?? {}, host) ?? (config.credsStore || undefined)
    const helped = helper === undefined ? undefined : await askHelper(helper, host, helperMs)
    return helped ?? fromAuths(config, host, path)
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
    // The reason that a JSON parser gives quotes the text, which holds secrets.
    throw new CredentialsError(
      `${path}: ${issue ? `${issue.path.join('.')}: ${issue.message}` : 'not valid JSON'}`,
    )
  }
}

function fromAuths(config: DockerConfig, host: string, path: string): Credentials | undefined {
  const entry = findByHost(config.auths ?? {}, host)
  if (entry === undefined) return undefined
  if (entry.identitytoken) return { identityToken: entry.identitytoken }
  if (entry.auth) {
    const text = Buffer.from(entry.auth, 'base64').toString('utf8')
    const colon = text.indexOf(':')
    if (colon < 0) throw new CredentialsError(`${path}: auths: the entry of ${host} is not user:password`)
    // Docker pads with NUL.
    return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, '') }
  }
  if (entry.username && entry.password) return { username: entry.username, password: entry.password }
  return undefined
}

/** The entry whose key names exactly this host, as `host`, `https://host`, or with docker's old `/v1/` path. */
function findByHost<Entry>(entries: Readonly<Record<string, Entry>>, host: string): Entry | undefined {
  const found = Object.entries(entries).filter(([key]) => hostOfKey(key) === withoutDefaultPort(host))
  return (found.find(([key]) => key === host) ?? found[0])?.[1]
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

/** Docker's credential helper protocol: the server's address on stdin of `docker-credential-NAME get`. */
async function askHelper(name: string, host: string, helperMs: number): Promise<Credentials | undefined> {
  const program = `docker-credential-${name}`
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
    throw new CredentialsError(`${JSON.stringify(name)} is not the name of a credential helper`)
  }
  const { status, output } = await run(program, host === DOCKER_HUB ? DOCKER_HUB_KEY : host, helperMs)
  if (status !== 0) {
    if (/credentials not found/i.test(output)) return undefined
    throw new CredentialsError(`${program} ended with status ${status} for ${host}`)
  }
  let answer: z.infer<typeof HelperAnswer>
  try {
    answer = HelperAnswer.parse(JSON.parse(output))
  } catch {
    throw new CredentialsError(`${program} did not answer with Username and Secret for ${host}`)
  }
  if (answer.Secret === '') return undefined
  if (answer.Username === '<token>') return { identityToken: answer.Secret }
  return { username: answer.Username, password: answer.Secret }
}

function start(program: string) {
  try {
    return spawn(program, ['get'], { stdio: ['pipe', 'pipe', 'ignore'] })
  } catch (error) {
    // Node tells of some failures by an event, and throws at others, such as a lack of memory.
    throw new CredentialsError(`${program}: ${(error as Error).message}`)
  }
}

function run(program: string, input: string, ms: number): Promise<{ status: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = start(program)
    child.on('error', (error) => reject(new CredentialsError(`${program}: ${error.message}`)))
    // Without free file descriptors it has no streams either.
    if (child.pid === undefined) return
    // Its output may stay open beyond its end, in the hands of what it started.
    const late = setTimeout(() => {
      child.kill('SIGKILL')
      child.stdout.destroy()
      reject(new CredentialsError(`${program} gave no answer within ${ms / 1000} seconds`))
    }, ms)
    const pieces: Buffer[] = []
    let size = 0
    child.stdout.on('data', (piece: Buffer) => {
      size += piece.length
      if (size > HELPER_OUTPUT_BYTES) child.kill('SIGKILL')
      else pieces.push(piece)
    })
    child.on('close', (status) => {
      clearTimeout(late)
      resolve({ status, output: Buffer.concat(pieces).toString('utf8') })
    })
    // A helper may end without reading its input.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
  })
}
