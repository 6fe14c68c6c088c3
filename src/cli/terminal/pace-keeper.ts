import type { FrameOptions, Pace } from './frame.ts'
import type { ProgressBar, ProgressView } from './progress-view.ts'
import { RateMeter } from './rate-meter.ts'

type Meters = { readonly bytes: RateMeter; readonly share: RateMeter }

/** Measures rates and the time left from one view to the next. */
export class PaceKeeper {
  readonly #bars = new Map<string, Meters>()
  readonly #total: Meters = { bytes: new RateMeter(), share: new RateMeter() }
  #share = 0

  /** Adds what a view shows at a time. */
  add(view: ProgressView, atMs: number): void {
    for (const bar of view.bars) addTo(this.#metersOf(bar.id), bar, atMs)
    if (!view.overall) return
    this.#share = view.overall.share
    addTo(this.#total, view.overall, atMs)
  }

  get total(): FrameOptions['total'] {
    return { share: this.#share, ...paceOf(this.#total) }
  }

  paceOf(bar: ProgressBar): Pace {
    return paceOf(this.#metersOf(bar.id))
  }

  #metersOf(id: string): Meters {
    const known = this.#bars.get(id)
    if (known) return known
    const meters = { bytes: new RateMeter(), share: new RateMeter() }
    this.#bars.set(id, meters)
    return meters
  }
}

function addTo({ bytes, share }: Meters, values: Pick<ProgressBar, 'moved' | 'share'>, atMs: number): void {
  bytes.add(atMs, values.moved)
  share.add(atMs, values.share)
}

function paceOf({ bytes, share }: Meters): Pace {
  const leftMs = share.millisecondsUntil(1)
  return { bytesPerSecond: bytes.perSecond, ...(leftMs !== undefined && leftMs > 0 && { leftMs }) }
}
