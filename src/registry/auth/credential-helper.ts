import { spawn } from 'node:child_process'
import { z } from 'zod'
import { DOCKER_HUB } from '../../oci/reference.ts'
import { type Credentials, CredentialsError, IDENTITY_TOKEN_USER } from './credentials.ts'

const HelperOutput = z.looseObject({ Username: z.string(), Secret: z.string() })

/** The server address of Docker Hub in docker's config.json and credential helpers. */
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/'
const MAX_OUTPUT_BYTES = 1024 * 1024

/**
 * Runs `docker-credential-NAME get` with the server address on stdin (docker's credential helper protocol).
 * @returns undefined if the helper has no credentials for the host
 * @throws CredentialsError
 */
export async function runCredentialHelper(
  name: string,
  host: string,
  timeoutMs: number,
): Promise<Credentials | undefined> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
    throw new CredentialsError(`${JSON.stringify(name)} is not the name of a credential helper`)
  }
  const program = `docker-credential-${name}`
  const { status, output } = await run(program, host === DOCKER_HUB ? DOCKER_HUB_KEY : host, timeoutMs)
  if (status !== 0) {
    if (/credentials not found/i.test(output)) return undefined
    throw new CredentialsError(
      `${program} exited with status ${status} for ${host}; run it by hand to see why`,
    )
  }
  const credentials = parseOutput(output)
  if (credentials === undefined) {
    throw new CredentialsError(`${program} did not print JSON with Username and Secret for ${host}`)
  }
  if (credentials.Secret === '') return undefined
  if (credentials.Username === IDENTITY_TOKEN_USER) return { identityToken: credentials.Secret }
  return { username: credentials.Username, password: credentials.Secret }
}

function parseOutput(output: string): z.infer<typeof HelperOutput> | undefined {
  try {
    return HelperOutput.parse(JSON.parse(output))
  } catch {
    return undefined
  }
}

function start(program: string) {
  try {
    return spawn(program, ['get'], { stdio: ['pipe', 'pipe', 'ignore'] })
  } catch (error) {
    // Node reports some failures by an event, and throws others, such as a lack of memory.
    throw new CredentialsError(`${program}: ${(error as Error).message}`)
  }
}

/**
 * Runs a helper. Its status is null if it was killed, also because its output was too large.
 * @throws CredentialsError
 */
function run(
  program: string,
  input: string,
  timeoutMs: number,
): Promise<{ status: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = start(program)
    child.on('error', (error) => reject(new CredentialsError(`${program}: ${error.message}`)))
    // A child that could not be started for lack of file descriptors has no streams either.
    if (child.pid === undefined) return
    // A process that the helper started may keep its output open after the helper has exited.
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      child.stdout.destroy()
      reject(new CredentialsError(`${program} did not finish within ${timeoutMs / 1000} seconds`))
    }, timeoutMs)
    const chunks: Buffer[] = []
    let size = 0
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > MAX_OUTPUT_BYTES) child.kill('SIGKILL')
      else chunks.push(chunk)
    })
    child.on('close', (status) => {
      clearTimeout(timer)
      resolve({ status, output: Buffer.concat(chunks).toString('utf8') })
    })
    // A helper may exit without reading its input.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
  })
}
