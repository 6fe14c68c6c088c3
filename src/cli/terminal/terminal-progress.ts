import type { WriteStream } from 'node:tty'
import { stripVTControlCharacters } from 'node:util'
import { createLogUpdate } from 'log-update'
import { drawFrame } from './frame.ts'
import { PaceKeeper } from './pace-keeper.ts'
import type { Progress } from './progress.ts'
import type { ProgressView } from './progress-view.ts'

/** Commands that are faster than this show no bars. */
const DELAY_MS = 500
/** People notice no faster changes, and slow connections carry no more. */
const REDRAW_MS = 100

const CLEAR_BELOW = '\u001b[J'
const cursorUp = (lines: number) => (lines === 0 ? '' : `\u001b[${lines}A`)

/** Bars on a terminal, redrawn in place. They disappear in the end, so that the result stands alone. */
export class TerminalProgress implements Progress {
  readonly #stream: WriteStream
  readonly #hasColors: boolean
  readonly #draw: ReturnType<typeof createLogUpdate>
  readonly #startedAt = performance.now()
  readonly #timer: NodeJS.Timeout
  readonly #onResize = () => this.#resized()
  #view: (() => ProgressView) | undefined
  #pace = new PaceKeeper()
  #drawn: readonly string[] = []

  constructor(stream: WriteStream, hasColors: boolean) {
    this.#stream = stream
    this.#hasColors = hasColors
    this.#draw = createLogUpdate(stream)
    this.#timer = setInterval(() => this.#tick(), REDRAW_MS).unref()
    stream.on('resize', this.#onResize)
  }

  follow(view: () => ProgressView): void {
    this.#view = view
    this.#pace = new PaceKeeper()
  }

  note(line: string): void {
    if (this.#drawn.length === 0) this.#stream.write(`${line}\n`)
    else this.#draw.persist(line)
    this.#drawn = []
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#stream.off('resize', this.#onResize)
    if (this.#drawn.length > 0) this.#draw.clear()
    // Shows the cursor again.
    this.#draw.done()
    this.#view = undefined
    this.#drawn = []
  }

  #tick(): void {
    const now = performance.now()
    const view = this.#view?.()
    if (!view) return
    this.#pace.add(view, now)
    if (now - this.#startedAt < DELAY_MS) return
    this.#drawn = drawFrame(view, {
      columns: this.#stream.columns || 80,
      rows: this.#stream.rows || 24,
      elapsedMs: now - this.#startedAt,
      total: this.#pace.total,
      paceOf: (bar) => this.#pace.paceOf(bar),
      hasColors: this.#hasColors,
    })
    this.#draw(this.#drawn.join('\n'))
  }

  /** A terminal that became narrower has wrapped the lines of the last frame, so that they take more rows. */
  #resized(): void {
    if (this.#drawn.length === 0) return
    const columns = this.#stream.columns || 80
    const rows = this.#drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(visible(line) / columns)), 0)
    this.#stream.write(`\r${cursorUp(Math.min(rows, (this.#stream.rows || 24) - 1))}${CLEAR_BELOW}`)
    this.#draw.done()
    this.#drawn = []
    this.#tick()
  }
}

function visible(line: string): number {
  return stripVTControlCharacters(line).length
}
