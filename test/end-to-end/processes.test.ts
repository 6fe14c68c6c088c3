import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { environmentOf } from '../support/broker-process.ts'
import { temporaryFolder } from '../support/embedded-registry.ts'
import { HttpServer } from '../support/http-server.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const BIN = fileURLToPath(new URL('../../bin/record-broker.js', import.meta.url))

/** The ways to start the broker: each is a process of its own, or several. */
const WAYS = {
  'the entry of the container': [process.execPath, MAIN],
  'bin/record-broker.js': [process.execPath, BIN],
  'npm start': ['npm', 'start', '--silent', '--'],
} as const
type Way = keyof typeof WAYS

const started: Started[] = []
afterEach(() => {
  for (const { mark } of started.splice(0)) {
    for (const pid of processesOf(mark)) process.kill(pid, 'SIGKILL')
  }
})

/** Processes that have this in their environment. */
function processesOf(mark: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const isZombie = / Z /.test(readFileSync(`/proc/${name}/stat`, 'utf8').replace(/\(.*\)/s, ''))
      return !isZombie && readFileSync(`/proc/${name}/environ`, 'utf8').includes(mark) ? [Number(name)] : []
    } catch {
      // It ended meanwhile.
      return []
    }
  })
}

class Started {
  readonly child: ChildProcess
  readonly mark = randomUUID()
  readonly #lines: string[] = []
  #errors = ''
  readonly #exited: Promise<unknown[]>

  constructor(way: Way, command: readonly string[], settings: Record<string, string>) {
    const [program = '', ...options] = WAYS[way]
    this.child = spawn(program, [...options, ...command], {
      cwd: ROOT,
      env: environmentOf({ MARK: this.mark, ...settings }),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#exited = once(this.child, 'exit')
    createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on('line', (line) =>
      this.#lines.push(line),
    )
    this.child.stderr?.on('data', (text: Buffer) => {
      this.#errors += text
    })
    started.push(this)
  }

  get errors(): string {
    return this.#errors
  }

  /** Until it logs this. */
  async logs(message: string): Promise<void> {
    await expect
      .poll(() => this.#lines.some((line) => line.includes(`"msg":"${message}"`)), { timeout: 30_000 })
      .toBe(true)
  }

  /** The exit status, or the signal. */
  async ended(): Promise<number | string> {
    const [status, signal] = (await this.#exited) as [number | null, string | null]
    return status ?? signal ?? ''
  }

  async leavesNothing(): Promise<void> {
    await expect.poll(() => processesOf(this.mark), { timeout: 30_000 }).toEqual([])
  }
}

const settings = (data: string, more: Record<string, string> = {}) => ({
  RECORD_BROKER_DATA: data,
  RECORD_BROKER_LISTEN: '127.0.0.1:0',
  ...more,
})

describe.each(Object.keys(WAYS) as Way[])('a broker that %s starts', (way) => {
  it('ends with all of its processes and status 0 when it is told to', async () => {
    await using folder = await temporaryFolder()
    const broker = new Started(way, ['serve'], settings(folder.path))
    await broker.logs('working')
    broker.child.kill('SIGTERM')
    const status = await broker.ended()
    // npm may end by the signal itself.
    expect(way === 'npm start' ? [0, 'SIGTERM'] : [0]).toContain(status)
    await broker.leavesNothing()
  })

  it('ends with all of its processes and status 130 after Ctrl-C', async () => {
    await using folder = await temporaryFolder()
    const broker = new Started(way, ['serve'], settings(folder.path))
    await broker.logs('working')
    // A terminal tells every process of the group.
    for (const pid of processesOf(broker.mark)) process.kill(pid, 'SIGINT')
    expect([130, 'SIGINT']).toContain(await broker.ended())
    await broker.leavesNothing()
  })

  it('leaves no process behind when it is killed', async () => {
    await using folder = await temporaryFolder()
    const broker = new Started(way, ['serve'], settings(folder.path))
    await broker.logs('working')
    broker.child.kill('SIGKILL')
    await broker.leavesNothing()
  })
})

describe('what keeps a process from its work', () => {
  const failing = async (command: string[], more: Record<string, string>) => {
    await using folder = await temporaryFolder()
    const one = new Started('the entry of the container', command, settings(folder.path, more))
    const status = await one.ended()
    await one.leavesNothing()
    return { status, errors: one.errors }
  }

  it('is an address in use', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const { status, errors } = await failing(['serve'], { RECORD_BROKER_LISTEN: `127.0.0.1:${port}` })
    server.close()
    expect(status).toBe(1)
    expect(errors).toMatch(/^record-broker: EADDRINUSE: .*127\.0\.0\.1/)
  })

  it.each(['serve', 'worker'])('is a database that does not answer: %s', async (command) => {
    const url = 'postgres://broker:s3cret@127.0.0.1:1/broker'
    const { status, errors } = await failing([command], { DATABASE_URL: url })
    expect(status).toBe(1)
    expect(errors).toMatch(/DATABASE_URL: 127\.0\.0\.1:1\/broker: the connection is refused/)
    expect(errors).not.toContain('s3cret')
  })

  it('is a data folder that another broker uses', async () => {
    await using folder = await temporaryFolder()
    const first = new Started('the entry of the container', ['serve'], settings(folder.path))
    await first.logs('working')
    const second = new Started('the entry of the container', ['serve'], settings(folder.path))
    expect(await second.ended()).toBe(1)
    expect(second.errors).toContain(`is in use by process ${first.child.pid}; stop it`)
    first.child.kill('SIGTERM')
    expect(await first.ended()).toBe(0)
  })

  it('is a wrong setting', async () => {
    const { status, errors } = await failing(['serve'], { RECORD_BROKER_THREADS: 'many' })
    expect(status).toBe(1)
    expect(errors).toContain('RECORD_BROKER_THREADS: expected a whole number')
  })
})

it('a command that is interrupted ends with status 130, and cleans up', async () => {
  const asked = Promise.withResolvers<void>()
  await using server = await HttpServer.start(() => asked.resolve())
  await using folder = await temporaryFolder()
  const { host } = server
  const command = ['inspect', `${host}/app:1`, '--plain-http', host]
  const one = new Started(
    'the entry of the container',
    command,
    settings(folder.path, { TMPDIR: folder.path }),
  )
  await asked.promise
  one.child.kill('SIGINT')
  expect(await one.ended()).toBe(130)
  expect(one.errors).toBe('record-broker: interrupted\n')
  expect(readdirSync(folder.path).filter((name) => name.startsWith('record-broker-'))).toEqual([])
})

it('a command ends when its wrapper is killed', async () => {
  const asked = Promise.withResolvers<void>()
  await using server = await HttpServer.start(() => asked.resolve())
  await using folder = await temporaryFolder()
  const command = ['inspect', `${server.host}/app:1`, '--plain-http', server.host]
  const one = new Started('npm start', command, settings(folder.path))
  await asked.promise
  one.child.kill('SIGKILL')
  await one.leavesNothing()
})
