/** One of several things that a command waits for, such as a layer. */
export type ProgressBar = {
  /** Unique within its view, and the same in the next one. */
  readonly id: string
  readonly label: string
  readonly state: string
  /** `waiting` and `done` ones give way when there are more bars than lines. */
  readonly phase: 'waiting' | 'active' | 'done'
  /** The share of the work that is done, 0 to 1. */
  readonly share: number
  /** How much of the whole work this is, such as the bytes of a layer. */
  readonly weight: number
  /** The bytes that were moved so far, for the rate. */
  readonly moved: number
  /** What was done so far, the most important first, such as `12 of 30 MiB downloaded`. */
  readonly facts: readonly string[]
}

/** What a command waits for. */
export type ProgressView = {
  /** What happens, such as `converting registry.example/team/app:1.0`. */
  readonly title: string
  /** The word for one of the bars, such as `layer`. */
  readonly unit: string
  /** Empty if there are no parts that people want to tell apart. */
  readonly bars: readonly ProgressBar[]
  /** How far everything is; undefined while nothing can be counted. */
  readonly overall: { readonly share: number; readonly moved: number } | undefined
  /** Facts about everything. */
  readonly facts: readonly string[]
}

/** A view of something that cannot be counted. */
export function waitingView(title: string): ProgressView {
  return { title, unit: '', bars: [], overall: undefined, facts: [] }
}

/** Returns how far bars are together, each by its weight. */
export function overallOf(bars: readonly ProgressBar[]): ProgressView['overall'] {
  if (bars.length === 0) return undefined
  const moved = bars.reduce((sum, bar) => sum + bar.moved, 0)
  const total = bars.reduce((sum, { weight }) => sum + weight, 0)
  const weightOf = ({ weight }: ProgressBar) => (total > 0 ? weight / total : 1 / bars.length)
  return { share: bars.reduce((sum, bar) => sum + bar.share * weightOf(bar), 0), moved }
}
