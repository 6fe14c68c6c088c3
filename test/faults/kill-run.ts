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
/** The number of killed workers after which an API is killed, too. The APIs take turns. */
const WORKERS_PER_API_KILL = 8
/** The time after which a worker that has not reached its failpoint is killed. */
const FAILPOINT_TIMEOUT_MS = 15_000

/** The steps before and after which a worker can be killed. */
const STEPS = [
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
const FAILPOINT_NAMES = STEPS.flatMap((step) => [`${step}:before`, `${step}:after`])

export type KillRunOptions = {
  readonly dataFolder: string
  /** Settings of all processes of the broker. */
  readonly settings: Record<string, string>
  readonly kills: number
  /** The number of API processes. Each request is sent to a random one. */
  readonly apis: number
}

/** A response that a retry of the request would not change. */
export class RejectedRequestError extends Error {
  override readonly name = 'RefusedError'
  readonly code: string
  constructor(request: string, { code, detail }: { code: string; detail: string }) {
    super(`${request}: ${detail}`)
    this.code = code
  }
}

/**
 * Keeps APIs and three workers running while it kills them. It kills the workers at one failpoint after the
 * other.
 */
export class KillRun implements AsyncDisposable {
  readonly #options: KillRunOptions
  readonly #lanes: Promise<void>[] = []
  readonly #stop = new AbortController()
  readonly reachedFailpoints = new Map<string, number>()
  kills = 0
  /** The number of kills of each API. */
  readonly apiKills: number[]
  #workersStarted = 0
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

  /**
   * Sends a request to a random API, and retries it if there is no response, a server error or a concurrent
   * request.
   * @throws RejectedRequestError for other error responses
   */
  async request<Body>(method: string, path: string, body?: object, idempotencyKey?: string): Promise<Body> {
    for (;;) {
      const { url } = this.#apis[randomInt(this.#apis.length)] as BrokerProcess
      try {
        const response = await fetch(new URL(path, url), {
          method,
          signal: AbortSignal.timeout(20_000),
          headers: {
            ...(body && { 'content-type': 'application/json' }),
            ...(idempotencyKey && { 'idempotency-key': idempotencyKey }),
          },
          ...(body && { body: JSON.stringify(body) }),
        })
        if (response.ok) return (await response.json()) as Body
        const problem = (await response.json()) as { code: string; detail: string }
        const isTemporary = response.status >= 500 || problem.code === 'REQUEST_IN_PROGRESS'
        if (!isTemporary) throw new RejectedRequestError(`${method} ${path}`, problem)
      } catch (error) {
        if (error instanceof RejectedRequestError) throw error
        // The API was killed. Another one responds, or a new one starts at the same address.
      }
      await delay(100)
    }
  }

  /** Whether all failpoints were reached and enough workers killed. */
  get isComplete(): boolean {
    return (
      this.kills >= this.#options.kills && FAILPOINT_NAMES.every((point) => this.reachedFailpoints.has(point))
    )
  }

  get missedFailpoints(): string[] {
    return FAILPOINT_NAMES.filter((point) => !this.reachedFailpoints.has(point))
  }

  async #lane(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      // Failpoints that were not reached yet come first. Every fourth worker is killed at a random time.
      const isRandomKill = this.#workersStarted++ % 4 === 3
      const candidates = this.missedFailpoints.length > 0 ? this.missedFailpoints : FAILPOINT_NAMES
      const hasFailpoint = !this.isComplete && !isRandomKill
      const failpoint = hasFailpoint ? candidates[this.#workersStarted % candidates.length] : undefined
      const worker = this.#startWorker(failpoint)
      const exited = once(worker, 'exit')
      if (this.isComplete) {
        await Promise.race([exited, waitForAbort(this.#stop.signal)])
        worker.kill('SIGTERM')
        await exited
        return
      }
      const killAfterMs = isRandomKill ? randomInt(300, 2_500) : FAILPOINT_TIMEOUT_MS
      const timeout = delay(killAfterMs, undefined, { ref: false })
      await Promise.race([exited, timeout, waitForAbort(this.#stop.signal)])
      worker.kill('SIGKILL')
      await exited
      this.kills++
      if (this.kills % WORKERS_PER_API_KILL === 0)
        this.#restarting = this.#restarting.then(() => this.#killApi())
    }
  }

  #startWorker(failpoint: string | undefined): ChildProcess {
    const preload = failpoint ? ['--import', FAILPOINTS] : []
    const worker = spawn(process.execPath, [...preload, MAIN, 'worker'], {
      env: isolatedEnvironment({
        RECORD_BROKER_DATA: this.#options.dataFolder,
        RECORD_BROKER_CONCURRENCY: '2',
        ...this.#options.settings,
        ...(failpoint && { FAILPOINT: failpoint, FAILPOINT_NTH: String(1 + randomInt(2)) }),
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

/** @param listen the address, which a restarted API keeps */
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

function waitForAbort(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
