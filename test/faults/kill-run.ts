import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { BrokerProcess, environmentOf } from '../support/broker-process.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const FAILPOINTS = new URL('./failpoints.ts', import.meta.url).href
const WORKERS = 3
/** Every so many deaths of workers the API is killed, too. */
const API_DIES_EVERY = 8
/** A worker whose failpoint is not reached by then is killed where it is. */
const PATIENCE_MS = 15_000

/** Where a worker can be killed: before and after each of these steps. */
export const STEPS = [
  'claim',
  'read-tag',
  'read-manifest',
  'open-scratch',
  'read-blob',
  'progress',
  'push-layer',
  'close-scratch',
  'push-config',
  'put-manifest',
  'intend',
  'put-tag',
  'settle',
  'finish',
] as const
const POINTS = STEPS.flatMap((step) => [`${step}:before`, `${step}:after`])

export type KillRunOptions = {
  readonly dataFolder: string
  /** Of every process of the broker. */
  readonly settings: Record<string, string>
  readonly kills: number
}

class RefusedError extends Error {
  override readonly name = 'RefusedError'
}

/** Keeps an API and three workers running while they are being killed, each at one failpoint after the other. */
export class KillRun implements AsyncDisposable {
  readonly #options: KillRunOptions
  readonly #lanes: Promise<void>[] = []
  readonly #stop = new AbortController()
  readonly fired = new Map<string, number>()
  kills = 0
  apiKills = 0
  #next = 0
  #api: BrokerProcess
  #restarting: Promise<void> = Promise.resolve()

  private constructor(options: KillRunOptions, api: BrokerProcess) {
    this.#options = options
    this.#api = api
    for (let n = 0; n < WORKERS; n++) this.#lanes.push(this.#lane())
  }

  static async start(options: KillRunOptions): Promise<KillRun> {
    const api = await BrokerProcess.start(options.dataFolder, {
      ...options.settings,
      RECORD_BROKER_WORKER: 'none',
    })
    return new KillRun(options, api)
  }

  /** One request to the API; sent again until it is answered by something other than 409 or 5xx. */
  async ask<Answer>(method: string, path: string, body?: object, key?: string): Promise<Answer> {
    for (;;) {
      try {
        const answer = await fetch(new URL(path, this.#api.url), {
          method,
          signal: AbortSignal.timeout(20_000),
          headers: {
            ...(body && { 'content-type': 'application/json' }),
            ...(key && { 'idempotency-key': key }),
          },
          ...(body && { body: JSON.stringify(body) }),
        })
        if (answer.ok) return (await answer.json()) as Answer
        const said = await answer.text()
        if (answer.status < 500 && answer.status !== 409) throw new RefusedError(`${method} ${path}: ${said}`)
      } catch (error) {
        if (error instanceof RefusedError) throw error
        // It was killed: another one starts at the same address.
      }
      await delay(100)
    }
  }

  /** Whether every failpoint was reached, and enough was killed. */
  get isEnough(): boolean {
    return this.kills >= this.#options.kills && POINTS.every((point) => this.fired.has(point))
  }

  get missing(): string[] {
    return POINTS.filter((point) => !this.fired.has(point))
  }

  async #lane(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      // Those that were not reached yet come first; every fourth worker is killed at any moment.
      const random = this.#next++ % 4 === 3
      const pool = this.missing.length > 0 ? this.missing : POINTS
      const point = this.isEnough || random ? undefined : pool[this.#next % pool.length]
      const worker = this.#spawn(point)
      const ended = once(worker, 'exit')
      if (this.isEnough) {
        await Promise.race([ended, aborted(this.#stop.signal)])
        worker.kill('SIGTERM')
        await ended
        return
      }
      const patience = random ? randomInt(300, 2_500) : PATIENCE_MS
      await Promise.race([ended, delay(patience, undefined, { ref: false }), aborted(this.#stop.signal)])
      worker.kill('SIGKILL')
      await ended
      this.kills++
      if (this.kills % API_DIES_EVERY === 0) this.#restarting = this.#restarting.then(() => this.#killApi())
    }
  }

  #spawn(point: string | undefined): ChildProcess {
    const worker = spawn(process.execPath, [...(point ? ['--import', FAILPOINTS] : []), MAIN, 'worker'], {
      env: environmentOf({
        RECORD_BROKER_DATA: this.#options.dataFolder,
        RECORD_BROKER_CONCURRENCY: '2',
        ...this.#options.settings,
        ...(point && { FAILPOINT: point, FAILPOINT_NTH: String(1 + randomInt(2)) }),
      }),
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    createInterface({ input: worker.stdout as NonNullable<typeof worker.stdout> }).on('line', (line) => {
      const { failpoint } = JSON.parse(line) as { failpoint?: string }
      if (failpoint) this.fired.set(failpoint, (this.fired.get(failpoint) ?? 0) + 1)
    })
    return worker
  }

  async #killApi(): Promise<void> {
    const { host } = this.#api
    await this.#api.kill()
    this.apiKills++
    this.#api = await BrokerProcess.start(this.#options.dataFolder, {
      ...this.#options.settings,
      RECORD_BROKER_WORKER: 'none',
      RECORD_BROKER_LISTEN: host,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#lanes)
    await this.#restarting
    await this.#api[Symbol.asyncDispose]()
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
