import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { BrokerProcess, isolatedEnvironment } from '../support/broker-process.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const FAILPOINTS = new URL('./failpoints.ts', import.meta.url).href
const WORKERS = 3
/** Every so many deaths of workers an API is killed, too, each in its turn. */
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
  /** API processes; a request goes to any of them. */
  readonly apis: number
}

/** An answer that sending the request again does not change. */
export class RejectedRequestError extends Error {
  override readonly name = 'RefusedError'
  readonly code: string
  constructor(request: string, { code, detail }: { code: string; detail: string }) {
    super(`${request}: ${detail}`)
    this.code = code
  }
}

/** Keeps APIs and three workers running while they are being killed, the workers at one failpoint after the other. */
export class KillRun implements AsyncDisposable {
  readonly #options: KillRunOptions
  readonly #lanes: Promise<void>[] = []
  readonly #stop = new AbortController()
  readonly reachedFailpoints = new Map<string, number>()
  kills = 0
  /** Of each API. */
  readonly apiKills: number[]
  #next = 0
  readonly #apis: BrokerProcess[]
  #restarting: Promise<void> = Promise.resolve()

  private constructor(options: KillRunOptions, apis: BrokerProcess[]) {
    this.#options = options
    this.#apis = apis
    this.apiKills = apis.map(() => 0)
    for (let n = 0; n < WORKERS; n++) this.#lanes.push(this.#lane())
  }

  static async start(options: KillRunOptions): Promise<KillRun> {
    const apis: BrokerProcess[] = []
    for (let n = 0; n < options.apis; n++) apis.push(await startApi(options, n))
    return new KillRun(options, apis)
  }

  /** One request to any API; sent again, to any, while it is not answered, is being answered, or cannot be. */
  async request<Answer>(method: string, path: string, body?: object, key?: string): Promise<Answer> {
    for (;;) {
      const { url } = this.#apis[randomInt(this.#apis.length)] as BrokerProcess
      try {
        const answer = await fetch(new URL(path, url), {
          method,
          signal: AbortSignal.timeout(20_000),
          headers: {
            ...(body && { 'content-type': 'application/json' }),
            ...(key && { 'idempotency-key': key }),
          },
          ...(body && { body: JSON.stringify(body) }),
        })
        if (answer.ok) return (await answer.json()) as Answer
        const problem = (await answer.json()) as { code: string; detail: string }
        const passes = answer.status >= 500 || problem.code === 'REQUEST_UNDER_WAY'
        if (!passes) throw new RejectedRequestError(`${method} ${path}`, problem)
      } catch (error) {
        if (error instanceof RejectedRequestError) throw error
        // It was killed: another one answers, or starts at the same address.
      }
      await delay(100)
    }
  }

  /** Whether every failpoint was reached, and enough was killed. */
  get isComplete(): boolean {
    return this.kills >= this.#options.kills && POINTS.every((point) => this.reachedFailpoints.has(point))
  }

  get missedFailpoints(): string[] {
    return POINTS.filter((point) => !this.reachedFailpoints.has(point))
  }

  async #lane(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      // Those that were not reached yet come first; every fourth worker is killed at any moment.
      const random = this.#next++ % 4 === 3
      const pool = this.missedFailpoints.length > 0 ? this.missedFailpoints : POINTS
      const point = this.isComplete || random ? undefined : pool[this.#next % pool.length]
      const worker = this.#spawn(point)
      const ended = once(worker, 'exit')
      if (this.isComplete) {
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
      env: isolatedEnvironment({
        RECORD_BROKER_DATA: this.#options.dataFolder,
        RECORD_BROKER_CONCURRENCY: '2',
        ...this.#options.settings,
        ...(point && { FAILPOINT: point, FAILPOINT_NTH: String(1 + randomInt(2)) }),
      }),
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    createInterface({ input: worker.stdout as NonNullable<typeof worker.stdout> }).on('line', (line) => {
      const { failpoint } = JSON.parse(line) as { failpoint?: string }
      if (failpoint) this.reachedFailpoints.set(failpoint, (this.reachedFailpoints.get(failpoint) ?? 0) + 1)
    })
    return worker
  }

  async #killApi(): Promise<void> {
    const n = this.apiKills.indexOf(Math.min(...this.apiKills))
    const api = this.#apis[n] as BrokerProcess
    await api.kill()
    this.apiKills[n] = (this.apiKills[n] ?? 0) + 1
    this.#apis[n] = await startApi(this.#options, n, api.host)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#lanes)
    await this.#restarting
    for (const api of this.#apis) await api[Symbol.asyncDispose]()
  }
}

/** @param listen where the one before listened */
function startApi(
  { dataFolder, settings }: KillRunOptions,
  n: number,
  listen = '127.0.0.1:0',
): Promise<BrokerProcess> {
  return BrokerProcess.start(join(dataFolder, `api-${n}`), {
    ...settings,
    RECORD_BROKER_WORKER: 'none',
    RECORD_BROKER_LISTEN: listen,
  })
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
