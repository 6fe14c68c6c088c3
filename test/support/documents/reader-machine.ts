import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BrokerProcess } from '../broker-process.ts'
import { TestRegistry } from '../servers/test-registry.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { CHECKOUT } from './read-documents.ts'
import { SAMPLE_REGISTRY, SampleIds, UNREACHABLE_HOST } from './sample-ids.ts'
import { SampleImages } from './sample-images.ts'

export const TOKEN = 'only-for-the-documents'
const MAX_COMMAND_MS = 60_000
/** What every command inherits, besides the settings of the broker. */
const INHERITED = ['NODE_COMPILE_CACHE', 'CI']

/** Programs that the documents run but that a machine does not have. */
const PROGRAMS = { app: '#!/bin/sh\nexec cat /etc/os-release\n' }

/** Options of curl: the status of the response goes to standard error, and an error response is a failure. */
const CURLRC =
  'silent\nshow-error\nfail-with-body\nmax-time = 50\nwrite-out = "%{stderr}HTTP %{http_code}\\n"\n'

export type Outcome = { readonly status: number; readonly out: string; readonly err: string }

type RunOptions = {
  readonly shell?: string
  readonly settings?: Readonly<Record<string, string>>
  /** Stops the command with Ctrl-C as soon as it has printed this. */
  readonly until?: RegExp
}

/**
 * The machine of a reader who has followed the documents so far: a checkout in which commands run, a broker, a
 * registry, a second broker that requires a token, and the images, files and programs that the documents name.
 *
 * The names of the documents become those of this machine: `127.0.0.1:8080` the broker, `registry.example` and
 * others the registry, `broker.example` the broker with a token.
 */
export class ReaderMachine implements AsyncDisposable {
  readonly broker: BrokerProcess
  readonly guarded: BrokerProcess
  readonly folder: string
  readonly images: SampleImages
  readonly ids: SampleIds
  readonly #registry: TestRegistry
  #stack = new AsyncDisposableStack()

  private constructor(
    folder: string,
    { broker, guarded, registry }: { broker: BrokerProcess; guarded: BrokerProcess; registry: TestRegistry },
  ) {
    this.folder = folder
    this.broker = broker
    this.guarded = guarded
    this.#registry = registry
    this.images = new SampleImages(broker, [broker.host, registry.host])
    this.ids = new SampleIds(broker, this.images)
  }

  static async start(): Promise<ReaderMachine> {
    await using stack = new AsyncDisposableStack()
    const { path } = stack.use(await temporaryFolder())
    const registry = stack.use(await TestRegistry.start(join(path, 'registry')))
    const starting = [
      BrokerProcess.start(join(path, 'broker'), {
        RECORD_BROKER_REGISTRIES: `${registry.host},${UNREACHABLE_HOST},${SAMPLE_REGISTRY}`,
        RECORD_BROKER_PLAIN_HTTP: `${registry.host},${UNREACHABLE_HOST}`,
        // Nobody receives the spans, but requests have the ids of traces.
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://${UNREACHABLE_HOST}`,
      }).then((started) => stack.use(started)),
      BrokerProcess.start(join(path, 'guarded'), {
        RECORD_BROKER_TOKEN: TOKEN,
        RECORD_BROKER_WORKER: 'none',
      }).then((started) => stack.use(started)),
    ] as const
    // If one does not start, the other has to be stopped.
    await Promise.allSettled(starting)
    const [broker, guarded] = await Promise.all(starting)
    // The project of the documents.
    await broker.request('PUT', '/v1/projects/team-a', { read: ['**'], write: ['**'] })
    const checkout = join(path, 'checkout')
    await setUpCheckout(checkout)
    const machine = new ReaderMachine(checkout, { broker, guarded, registry })
    stack.use(machine.images)
    await machine.#writeFiles()
    machine.#stack = stack.move()
    return machine
  }

  /** A text of a document with the names of this machine. */
  concrete(text: string): string {
    return text
      .replaceAll(/\b(127\.0\.0\.1|localhost):8080\b/g, this.broker.host)
      .replaceAll(/\b(registry\.example|r\.example|127\.0\.0\.1:5000)\b/g, this.#registry.host)
      .replaceAll('https://broker.example', this.guarded.url)
      .replaceAll('broker.example', this.guarded.host)
  }

  /**
   * A command of a document with the names and ids of this machine, whose images and files exist.
   * @param standsAlone whether the command does not follow those before it
   */
  async prepare(text: string, standsAlone: boolean): Promise<string> {
    const named = this.concrete(text)
    await this.settle()
    await this.images.prepare(named, standsAlone)
    return this.#replacePlaceholders(named)
  }

  /**
   * Waits for the conversions that can end, as a reader waits for the outcome of a command.
   * @throws if one does not end within a minute
   */
  async settle(): Promise<void> {
    const path = '/v1/conversions?state=queued&state=running'
    const { items } = await this.broker.request<{ items: { id: string; source: string }[] }>('GET', path)
    for (const { id, source } of items) {
      if (source.startsWith(UNREACHABLE_HOST)) continue
      const response = await fetch(new URL(`/v1/conversions/${id}`, this.broker.url), {
        headers: { prefer: 'wait=60' },
      })
      const { state } = (await response.json()) as { state: string }
      if (state === 'queued' || state === 'running')
        throw new Error(`conversion ${id} of ${source} does not end`)
    }
  }

  /** The environment of commands. */
  environment(settings: Readonly<Record<string, string>> = {}): Record<string, string> {
    const inherited = INHERITED.flatMap((name) => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value] as const]
    })
    return {
      ...Object.fromEntries(inherited),
      PATH: `${join(this.folder, 'programs')}:${process.env.PATH}`,
      HOME: join(this.folder, 'home'),
      FPATH: join(this.folder, 'home/functions'),
      NO_UPDATE_NOTIFIER: '1',
      RECORD_BROKER_LISTEN: this.broker.host,
      RECORD_BROKER_PLAIN_HTTP: `${this.#registry.host},${this.broker.host}`,
      ...settings,
    }
  }

  /** Runs a command in the checkout. */
  async run(command: string, { shell = 'bash', settings, until }: RunOptions = {}): Promise<Outcome> {
    const child = spawn(shell, ['-c', command], {
      cwd: this.folder,
      env: this.environment(settings),
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, as in a terminal, where Ctrl-C reaches all processes of a command.
      detached: true,
    })
    const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), MAX_COMMAND_MS)
    let [out, err, isStopped] = ['', '', false]
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
      if (isStopped || !until?.test(out)) return
      isStopped = true
      signalGroup(child, 'SIGINT')
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text
    })
    const [status, signal] = (await once(child, 'close')) as [number | null, string | null]
    clearTimeout(timer)
    return { status: status ?? -1, out, err: signal ? `${err}\nended by ${signal}` : err }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }

  async #replacePlaceholders(text: string): Promise<string> {
    let replaced = text.replaceAll(/\bURL\b/g, this.guarded.url)
    for (let n = 0; /\bID\b/.test(replaced); n++)
      replaced = replaced.replace(/\bID\b/, await this.ids.idFor(text, n))
    if (/--plan DIGEST/.test(replaced)) replaced = replaced.replace('DIGEST', await this.ids.plan())
    return replaced
  }

  async #writeFiles(): Promise<void> {
    const [source, target] = ['registry.example/team/app:1.0', 'registry.example/team/app:batch']
    const files: Readonly<Record<string, string>> = {
      'opened.txt':
        '7 execve("/bin/sh", ["sh"], 0x7ff) = 0\n7 openat(AT_FDCWD, "/etc/os-release", O_RDONLY) = 3\n',
      'images.txt': `# SOURCE TARGET\n${source} ${target}-1\n${source} ${target}-2\n`,
      'batch.json': JSON.stringify({ conversions: [{ source, target: `${target}-3` }] }),
      'rule.json': JSON.stringify({
        name: 'r',
        source: 'registry.example/team/**',
        target: '{host}/{repository}:{tag}-esgz',
      }),
      'token.txt': `${TOKEN}\n`,
      'password.txt': 'the password of a robot account\n',
      'start.sh': '#!/bin/sh\nexec cat /etc/os-release\n',
      'home/.curlrc': CURLRC,
    }
    for (const [name, text] of Object.entries(files))
      await writeFile(join(this.folder, name), this.concrete(text))
    await chmod(join(this.folder, 'start.sh'), 0o755)
  }
}

/** Makes a folder that looks like a checkout, but in which commands may write. */
async function setUpCheckout(folder: string): Promise<void> {
  for (const name of [
    'programs',
    'home/functions',
    'home/.zfunc',
    'home/.config/fish/completions',
    'home/.local/share/bash-completion/completions',
  ])
    await mkdir(join(folder, name), { recursive: true })
  for (const name of await readdir(CHECKOUT)) {
    if (!name.startsWith('.git') && name !== 'data') await symlink(join(CHECKOUT, name), join(folder, name))
  }
  const programs = join(folder, 'programs')
  await symlink(process.execPath, join(programs, 'node'))
  await symlink(join(CHECKOUT, 'bin/record-broker.js'), join(programs, 'record-broker'))
  for (const [name, script] of Object.entries(PROGRAMS))
    await writeFile(join(programs, name), script, { mode: 0o755 })
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal)
  } catch {
    // All processes of the group have ended.
  }
}
