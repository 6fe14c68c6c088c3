import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { RegistryClient } from '../../src/registry/client.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { buildTar, file } from '../support/images/build-tar.ts'
import { pushImage } from '../support/images/push-image.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url))
const COMPILER = join(CHECKOUT, 'node_modules/typescript-7/bin/tsc')
const SECRETS = [9, 7].map((byte) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`)
const run = promisify(execFile)

/** What the types must refuse, a line each. */
const MISTAKES = [
  "client.get('/v1/nowhere')",
  "client.post('/v1/records')",
  "client.get('/v1/conversions/{id}')",
  "client.get('/v1/conversions/{id}', { params: { path: { name: 'x' } } })",
  "client.get('/v1/conversions', { params: { query: { state: 'lost' } } })",
  "client.post('/v1/conversions', { body: { source: 'a' } })",
  "client.post('/v1/conversions', { body: { source: 'a', target: 'b' }, retries: 3 })",
  "client.get('/v1/conversions').then(({ items }) => items[0]?.owner)",
  "waitForJob(client, 'evaluation', 'x')",
  "pages(client, '/healthz')",
  "events(client, '/v1/conversions/{id}/events')",
]

const stack = new AsyncDisposableStack()
let project: string
/** The names of the programs in docs/client.md, in their order. */
let programs: string[]

/** A project that has the package as a dependency, and the programs of the documentation. */
beforeAll(async () => {
  const { path } = stack.use(await temporaryFolder())
  project = path
  const page = await readFile(join(CHECKOUT, 'docs/client.md'), 'utf8')
  const blocks = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code)
  programs = blocks.map((_, i) => `program-${i + 1}.ts`)
  await mkdir(join(project, 'node_modules'))
  await symlink(CHECKOUT, join(project, 'node_modules/record-broker'))
  await symlink(join(CHECKOUT, 'node_modules/@types'), join(project, 'node_modules/@types'))
  await writeFile(join(project, 'package.json'), '{"type":"module"}')
  await Promise.all(programs.map((name, i) => writeFile(join(project, name), blocks[i] ?? '')))
})
afterAll(() => stack.disposeAsync())

/** Compiles files of the project, and returns the messages of the compiler. */
async function compile(files: readonly string[], options: object): Promise<string> {
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    ...options,
  }
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  return run(process.execPath, [COMPILER, '--pretty', 'false'], { cwd: project }).then(
    () => '',
    ({ stdout }: { stdout: string }) => stdout,
  )
}

/** Runs a program of the documentation, and returns the lines that it prints. */
async function runProgram(
  name: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<string[]> {
  const { stdout } = await run(process.execPath, [join(project, name), ...args], {
    env: { ...process.env, ...env },
  })
  return stdout.trim().split('\n')
}

it('compiles for Node and for browsers, and refuses what the API does not have', async () => {
  const lines = [
    "import { createBrokerClient, events, pages, waitForJob } from 'record-broker/client'",
    "const client = createBrokerClient({ baseUrl: '' })",
    ...MISTAKES.map((code) => `void ${code}`),
  ]
  await writeFile(join(project, 'mistakes.ts'), lines.join('\n'))
  const strictest = { exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true }
  const node = { lib: ['es2024', 'esnext.iterator', 'esnext.disposable'], types: ['node'], ...strictest }
  const messages = await compile([...programs, 'mistakes.ts'], node)
  const places = [...messages.matchAll(/^(\S+)\((\d+),\d+\): error/gm)].map(([, name, line]) => [
    name,
    Number(line),
  ])
  const mistakes = MISTAKES.map((_, i) => ['mistakes.ts', i + 3])
  expect([messages, places]).toEqual([messages, mistakes])
  await writeFile(join(project, 'page.ts'), "export * from 'record-broker/client'\n")
  expect(await compile(['page.ts'], { lib: ['es2024', 'dom', 'dom.iterable'], types: [] })).toBe('')
})

it('runs the programs of its documentation', async () => {
  await using resources = new AsyncDisposableStack()
  const folder = resources.use(await temporaryFolder())
  const port = await freePort()
  const broker = resources.use(
    await BrokerProcess.start(folder.path, {
      RECORD_BROKER_CALLBACK_SECRET: SECRETS[1] ?? '',
      RECORD_BROKER_CALLBACK_ORIGINS: `http://127.0.0.1:${port}`,
    }),
  )
  const registries = resources.use(new RegistryClient({ plainHttp: [broker.host] }))
  const repository = registries.repository({ host: broker.host, repository: 'team/app' })
  const tar = buildTar(file('etc/app.conf', 'x'), file('usr/bin/app', 'app'), file('var/data', 'data'))
  await pushImage(repository, { layers: [{ tar }] }, '1.0')
  const profile = join(folder.path, 'opened.txt')
  await writeFile(profile, '/usr/bin/app\n/etc/app.conf\n')
  const env = { BROKER: broker.url }

  const [quickstart = '', errors = '', events = '', callbacks = ''] = programs
  expect(programs).toHaveLength(4)
  const [source, target] = [`${broker.host}/team/app:1.0`, `${broker.host}/team/app:1.0-esgz`]
  const printed = await runProgram(quickstart, [source, target, profile], env)
  expect(printed).toEqual([
    expect.stringMatching(/^sha256:[0-9a-f]{64} usr\/bin\/app etc\/app\.conf$/),
    `${target} succeeded`,
  ])

  expect(await runProgram(errors, [], env)).toEqual([expect.stringMatching(/^404 /)])

  const followed = await runProgram(events, [], { ...env, LAST_EVENT: '0.0.' })
  expect(followed.map((line) => line.split(' ')[1])).toEqual(
    expect.arrayContaining(['queued', 'started', 'succeeded']),
  )

  const receiver = spawn(process.execPath, [join(project, callbacks)], {
    env: { ...process.env, PORT: String(port), CALLBACK_SECRETS: SECRETS.join(' ') },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  resources.defer(() => stop(receiver))
  const received = once(createInterface({ input: receiver.stdout }), 'line')
  const callbackUrl = `http://127.0.0.1:${port}/finished`
  await broker.request('POST', '/v1/conversions', { source, target: `${target}-again`, callbackUrl })
  expect(await received).toEqual([`conversion.succeeded ${target}-again`])
})

/** Returns a port that nothing listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const exited = once(child, 'exit')
  child.kill()
  await exited
}
