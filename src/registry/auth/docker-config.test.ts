import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDockerConfigSource } from './docker-config.ts'

let folder: string
const path = process.env.PATH

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'credentials-'))
  process.env.PATH = `${folder}${delimiter}${path}`
})
afterAll(async () => {
  process.env.PATH = path
  await rm(folder, { recursive: true })
})

async function sourceOf(config: unknown) {
  const file = join(folder, 'config.json')
  await writeFile(file, typeof config === 'string' ? config : JSON.stringify(config))
  return createDockerConfigSource(file)
}

async function installHelper(name: string, script: string) {
  const file = join(folder, `docker-credential-${name}`)
  await writeFile(file, `#!/bin/sh\n${script}\n`)
  await chmod(file, 0o755)
}

const auth = (text: string) => ({ auth: Buffer.from(text).toString('base64') })
const user = (username: string, password: string) => ({ username, password })

describe('auths', () => {
  it('match a host exactly, in any spelling', async () => {
    const find = await sourceOf({
      auths: {
        'r.example': auth('a:1'),
        'https://tls.example/v2/': auth('b:2:3'),
        'port.example:443': auth('c:4'),
        'r.example:5000': auth('d:5'),
        'https://index.docker.io/v1/': auth('hub:6'),
        'path.example/team': auth('e:7'),
      },
    })
    expect(await find('r.example')).toEqual(user('a', '1'))
    expect(await find('tls.example')).toEqual(user('b', '2:3'))
    expect(await find('port.example')).toEqual(user('c', '4'))
    expect(await find('r.example:5000')).toEqual(user('d', '5'))
    expect(await find('docker.io')).toEqual(user('hub', '6'))
    for (const other of ['r.example.evil', 'evil-r.example', 'example', 'r.exampl', 'path.example']) {
      expect(await find(other)).toBeUndefined()
    }
  })

  it('may contain identity tokens, and user name and password as fields', async () => {
    const find = await sourceOf({
      auths: {
        'token.example': { ...auth('x:'), identitytoken: 'secret' },
        'plain.example': user('u', 'p'),
        'empty.example': {},
      },
    })
    expect(await find('token.example')).toEqual({ identityToken: 'secret' })
    expect(await find('plain.example')).toEqual(user('u', 'p'))
    expect(await find('empty.example')).toBeUndefined()
  })

  it('are empty without a file, and fail without revealing secrets if the file is malformed', async () => {
    expect(await createDockerConfigSource(join(folder, 'missing.json'))('r.example')).toBeUndefined()
    const find = await sourceOf('{"auths": {"r.example": {"auth": hunter2}}}')
    const failure = await find('r.example').catch((error) => error)
    expect(failure).toMatchObject({ code: 'CREDENTIALS' })
    expect(failure.message).not.toContain('hunter2')
    await expect((await sourceOf({ auths: { 'r.example': auth('no-colon') } }))('r.example')).rejects.toThrow(
      'not user:password',
    )
  })
})

describe('credential helpers', () => {
  it('receive the host on stdin, and for Docker Hub its key', async () => {
    const input = join(folder, 'input')
    await installHelper('mine', `cat > ${input}; echo '{"ServerURL":"x","Username":"u","Secret":"s"}'`)
    const find = await sourceOf({ credHelpers: { 'r.example': 'mine', 'docker.io': 'mine' } })
    expect(await find('r.example')).toEqual(user('u', 's'))
    expect(await readFile(input, 'utf8')).toBe('r.example')
    await find('docker.io')
    expect(await readFile(input, 'utf8')).toBe('https://index.docker.io/v1/')
    expect(await find('other.example')).toBeUndefined()
  })

  it('return identity tokens with the user name <token>', async () => {
    await installHelper('token', `echo '{"Username":"<token>","Secret":"refresh"}'`)
    const find = await sourceOf({ credsStore: 'token' })
    expect(await find('r.example')).toEqual({ identityToken: 'refresh' })
  })

  it('without credentials for a host defer to auths', async () => {
    await installHelper('empty', 'echo "credentials not found in native keychain"; exit 1')
    const find = await sourceOf({ credsStore: 'empty', auths: { 'r.example': auth('a:1') } })
    expect(await find('r.example')).toEqual(user('a', '1'))
    expect(await find('other.example')).toBeUndefined()
  })

  it('that do not finish fail, even if a child process holds their output', async () => {
    await installHelper('slow', 'trap "" TERM; sleep 1000 & wait; sleep 1000')
    await writeFile(join(folder, 'slow.json'), JSON.stringify({ credsStore: 'slow' }))
    const find = createDockerConfigSource(join(folder, 'slow.json'), 100)
    await expect(find('r.example')).rejects.toThrow(
      /docker-credential-slow did not finish within 0.1 seconds/,
    )
  })

  it('that cannot be started fail the call alone', async () => {
    // Node throws for a program name that is too long.
    const long = await sourceOf({ credsStore: 'x'.repeat(200_000) })
    await expect(long('r.example')).rejects.toMatchObject({ code: 'CREDENTIALS' })
    // Without free file descriptors Node has no streams for the helper and emits no exit event.
    await sourceOf({ credsStore: 'mine' })
    const script = fileURLToPath(
      new URL('../../../test/support/children/no-free-descriptors.ts', import.meta.url),
    )
    const command = [
      '-c',
      'ulimit -n 60; exec "$0" "$@"',
      process.execPath,
      script,
      join(folder, 'config.json'),
    ]
    const { stdout } = await promisify(execFile)('/bin/sh', command)
    expect(JSON.parse(stdout)).toMatchObject({
      code: 'CREDENTIALS',
      message: expect.stringContaining('EMFILE'),
    })
  })

  it('fail if they exit with an error, print invalid output, are missing or have an invalid name', async () => {
    await installHelper('failing', 'echo hunter2; exit 3')
    await installHelper('invalid', 'echo hunter2')
    for (const credsStore of ['failing', 'invalid', 'missing', '../../bin/sh', 'a;b']) {
      const failure = await (await sourceOf({ credsStore }))('r.example').catch((error) => error)
      expect(failure).toMatchObject({ code: 'CREDENTIALS' })
      expect(failure.message).not.toContain('hunter2')
    }
  })
})
