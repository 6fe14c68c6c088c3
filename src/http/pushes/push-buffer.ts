import type { FastifyBaseLogger } from 'fastify'
import { EVERYTHING } from '../../access/caller.ts'
import { sleep } from '../../concurrency/abort.ts'
import { type Backoff, backoffMs } from '../../concurrency/backoff.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import type { Push, PushReporter, RuleEngine } from './rule-engine.ts'

/** Pushes that are held in memory at most. */
const MAX_BUFFERED = 1000
/** Together about two minutes. */
const BACKOFF: Backoff = { initialMs: 1_000, maxMs: 30_000, minShare: 0.5 }
const MAX_ATTEMPTS = 8
const ATTEMPT_TIMEOUT_MS = 60_000
/** Refusals of one image in the log. */
const MAX_LOGGED = 10

/** The embedded registry does not know whose rules a push concerns: those of all projects apply. */
const EMBEDDED_REGISTRY: PushReporter = {
  projectScope: ProjectScope.ALL,
  access: EVERYTHING,
}

type PushBufferOptions = {
  readonly engine: Pick<RuleEngine, 'handlePushes'>
  readonly log: Pick<FastifyBaseLogger, 'error' | 'warn'>
  readonly backoff?: Backoff
}

/**
 * Applies the rules to what is pushed to the embedded registry, in batches one after the other, so that a push
 * neither waits for the database nor fails with it. Pushes that are not handled when the process dies start nothing;
 * pushing the tag again does.
 */
export class PushBuffer implements AsyncDisposable {
  readonly #options: PushBufferOptions
  readonly #stop = new AbortController()
  /** By image: of several pushes to one tag, the last one counts. */
  readonly #buffered = new Map<string, Push>()
  #handling: Promise<void> | undefined

  constructor(options: PushBufferOptions) {
    this.#options = options
  }

  add(push: Push): void {
    if (this.#buffered.size >= MAX_BUFFERED && !this.#buffered.has(push.image)) {
      this.#options.log.warn({ image: push.image }, 'no rule sees a push: too many others are waiting')
      return
    }
    this.#buffered.set(push.image, push)
    this.#handling ??= this.#handleAll().finally(() => {
      this.#handling = undefined
    })
  }

  /** Handles what is left, which is not tried again if it fails. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('the broker stops'))
    while (this.#handling) await this.#handling
  }

  async #handleAll(): Promise<void> {
    while (this.#buffered.size > 0) {
      const batch = [...this.#buffered.values()]
      this.#buffered.clear()
      await this.#handle(batch)
    }
  }

  async #handle(batch: readonly Push[]): Promise<void> {
    const { log, backoff = BACKOFF } = this.#options
    for (let failures = 1; ; failures++) {
      try {
        return await this.#applyRules(batch)
      } catch (err) {
        if (failures >= MAX_ATTEMPTS || this.#stop.signal.aborted) {
          log.error({ err, images: batch.length }, 'the rules could not be applied to pushed images')
          return
        }
        log.warn({ err, images: batch.length }, 'the rules are applied to pushed images again')
      }
      // The last attempt follows at once when the broker stops.
      await sleep(backoffMs(backoff, failures, Math.random()), this.#stop.signal).catch(() => undefined)
    }
  }

  async #applyRules(batch: readonly Push[]): Promise<void> {
    const { engine, log } = this.#options
    const signal = AbortSignal.timeout(ATTEMPT_TIMEOUT_MS)
    const outcomes = await engine.handlePushes(batch, { log, signal, caller: EMBEDDED_REGISTRY })
    for (const { name, refused } of outcomes) {
      if (refused.length === 0) continue
      log.warn(
        { image: name, refused: refused.slice(0, MAX_LOGGED) },
        'rules could not convert a pushed image',
      )
    }
  }
}
