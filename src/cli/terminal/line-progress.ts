import type { Writable } from 'node:stream'
import { describeView } from './frame.ts'
import { PaceKeeper } from './pace-keeper.ts'
import type { Progress } from './progress.ts'
import type { ProgressView } from './progress-view.ts'

const SAMPLE_MS = 500
/** Commands that are faster than this write no line. */
const FIRST_LINE_MS = 2_000
const LINE_EVERY_MS = 5_000
/** A line that says the same as the last one is repeated only so often, as a sign of life. */
const REPEAT_EVERY_MS = 30_000

/** Lines at intervals, for logs and pipes. */
export class LineProgress implements Progress {
  readonly #stream: Writable
  readonly #startedAt = performance.now()
  readonly #timer: NodeJS.Timeout
  #view: (() => ProgressView) | undefined
  #pace = new PaceKeeper()
  #last = { atMs: this.#startedAt - LINE_EVERY_MS + FIRST_LINE_MS, state: '' }

  constructor(stream: Writable) {
    this.#stream = stream
    this.#timer = setInterval(() => this.#tick(), SAMPLE_MS).unref()
  }

  follow(view: () => ProgressView): void {
    this.#view = view
    this.#pace = new PaceKeeper()
  }

  note(line: string): void {
    this.#stream.write(`${line}\n`)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#view = undefined
  }

  #tick(): void {
    const view = this.#view?.()
    if (!view) return
    const atMs = performance.now()
    this.#pace.add(view, atMs)
    const state = JSON.stringify([view.title, view.facts, view.bars.map(({ share }) => share)])
    const pause = state === this.#last.state ? REPEAT_EVERY_MS : LINE_EVERY_MS
    if (atMs - this.#last.atMs < pause) return
    this.#last = { atMs, state }
    this.note(describeView(view, this.#pace.total, atMs - this.#startedAt))
  }
}
