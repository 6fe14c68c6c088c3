import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Logger } from 'pino'
import { BROKER_ACCESS } from '../access/caller-access.ts'
import type { Analyses } from '../analysis/analyses.ts'
import { sleep } from '../concurrency/abort.ts'

/** A turn that takes longer is stopped, and its process with it. A turn itself ends after some 20 seconds. */
const TURN_TIMEOUT_MS = 90_000
/** The pause after a turn that failed, and before the first one. */
const FAILED_MS = 15_000
const START_MS = 1_000

/** Keeps the catalogue up to date as long as `serve` runs: it calls for one turn after the other. */
export class CatalogueUpkeep implements AsyncDisposable {
  readonly #analyses: Pick<Analyses, 'updateCatalogue'>
  readonly #log: Logger
  readonly #stop = new AbortController()
  readonly #release: (owner: string) => Promise<void>
  readonly #owner = `${hostname()}:${process.pid}:${randomUUID()}`
  #wake = new AbortController()
  #running: Promise<void> | undefined

  /** @param release lets another replica continue at once */
  constructor(
    analyses: Pick<Analyses, 'updateCatalogue'>,
    release: (owner: string) => Promise<void>,
    log: Logger,
  ) {
    this.#analyses = analyses
    this.#release = release
    this.#log = log
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Something has changed: the next turn starts at once. */
  wake(): void {
    this.#wake.abort()
  }

  async #run(): Promise<void> {
    await this.#pause(START_MS)
    while (!this.#stop.signal.aborted) {
      this.#wake = new AbortController()
      await this.#pause(await this.#turn())
    }
  }

  /** Returns the pause before the next turn in milliseconds. */
  async #turn(): Promise<number> {
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(TURN_TIMEOUT_MS)])
    try {
      return await this.#analyses.updateCatalogue({ owner: this.#owner }, { signal, caller: BROKER_ACCESS })
    } catch (error) {
      if (this.#stop.signal.aborted) return 0
      this.#log.warn({ err: error }, 'the catalogue could not be updated; it is tried again')
      return FAILED_MS
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, AbortSignal.any([this.#stop.signal, this.#wake.signal])).catch(() => undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('the server stops'))
    await this.#running
    // Without the database the lease ends by itself.
    await this.#release(this.#owner).catch(() => undefined)
  }
}
