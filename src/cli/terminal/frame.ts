import { styleText } from 'node:util'
import { bytesText, countText, durationText, percentText } from '../text/quantities.ts'
import type { ProgressBar, ProgressView } from './progress-view.ts'

/** The cells between the brackets of a bar. */
const BAR_CELLS = 20
const NARROW_BAR_CELLS = 8

/** What was measured about one bar, or about all of them. */
export type Pace = {
  readonly bytesPerSecond?: number | undefined
  readonly leftMs?: number | undefined
}

/** What a frame is drawn for. */
export type FrameOptions = {
  readonly columns: number
  readonly rows: number
  readonly elapsedMs: number
  readonly total: Pace & { readonly share: number }
  readonly paceOf: (bar: ProgressBar) => Pace
  readonly hasColors: boolean
}

/** Draws a view as lines that fit into the columns and, with the cursor's line, into the rows. */
export function drawFrame(view: ProgressView, options: FrameOptions): string[] {
  const { columns, rows } = options
  const { shown, summary } = selectBars(view, rows - 2)
  const lines = [
    totalLine(view, options),
    ...barLines(shown, options),
    ...(summary === undefined ? [] : [fit([{ text: `  ${summary}`, rank: 0 }], columns)]),
  ]
  return lines.slice(0, Math.max(1, rows - 1))
}

/** Describes a view in one line, for logs and pipes. */
export function describeView(view: ProgressView, total: FrameOptions['total'], elapsedMs: number): string {
  if (!view.overall) return `${view.title} (${[...view.facts, durationText(elapsedMs)].join(', ')})`
  return [
    `${view.title}: ${percentText(total.share)}`,
    ...doneTexts(view),
    ...view.facts,
    ...paceTexts(total),
  ].join(', ')
}

/** Active bars come first when there is no line for each; the order of those that are shown stays. */
function selectBars({ bars, unit }: ProgressView, lines: number): { shown: ProgressBar[]; summary?: string } {
  if (bars.length <= lines) return { shown: [...bars] }
  const room = Math.max(0, lines - 1)
  const rank = { active: 0, waiting: 1, done: 2 }
  const chosen = new Set(bars.toSorted((a, b) => rank[a.phase] - rank[b.phase]).slice(0, room))
  const hidden = bars.filter((bar) => !chosen.has(bar))
  const counts = (['active', 'waiting', 'done'] as const).flatMap((phase) => {
    const count = hidden.filter((bar) => bar.phase === phase).length
    return count === 0 ? [] : [`${count} ${phase}`]
  })
  const more = `${countText(hidden.length, `more ${unit}`)}: ${counts.join(', ')}`
  return { shown: bars.filter((bar) => chosen.has(bar)), summary: more }
}

function totalLine(view: ProgressView, options: FrameOptions): string {
  const { columns, elapsedMs, total, hasColors } = options
  if (!view.overall) {
    const facts = [...view.facts, durationText(elapsedMs)]
    return fit([{ text: view.title, rank: 0 }, ...facts.map((text) => ({ text, rank: 2 }))], columns)
  }
  const parts: Part[] = [
    { text: view.title, rank: 1 },
    ...barParts(total.share, hasColors),
    ...doneTexts(view).map((text) => ({ text, rank: 4 })),
    ...(view.bars.length === 0 ? view.facts.map((text, i) => ({ text, rank: 4 + i })) : []),
    ...paceTexts(total).map((text) => ({ text, rank: 3 })),
  ]
  return fit(parts, columns)
}

/** All bars are as wide as the line with the least room lets them be, so that they can be compared. */
function barLines(bars: readonly ProgressBar[], options: FrameOptions): string[] {
  const labelWidth = Math.max(0, ...bars.map(({ label }) => label.length))
  const lines = bars.map((bar) => barLineParts(bar, labelWidth, options))
  const isNarrow = lines.some((parts) => lengthOf(parts) > lineWidth(options.columns))
  return lines.map((parts) => fit(isNarrow ? narrowed(parts) : parts, options.columns))
}

function barLineParts(bar: ProgressBar, labelWidth: number, { paceOf, hasColors }: FrameOptions): Part[] {
  return [
    { text: `  ${bar.label.padEnd(labelWidth)}`, rank: 1 },
    ...barParts(bar.share, hasColors),
    { text: bar.state, rank: 3 },
    ...bar.facts.map((text, i) => ({ text, rank: 4 + i })),
    ...(bar.phase === 'active' ? paceTexts(paceOf(bar)).map((text) => ({ text, rank: 4 })) : []),
  ]
}

function doneTexts({ bars, unit }: ProgressView): string[] {
  if (bars.length === 0) return []
  const count = bars.filter(({ phase }) => phase === 'done').length
  return [`${count} of ${countText(bars.length, unit)} done`]
}

function paceTexts({ bytesPerSecond, leftMs }: Pace): string[] {
  return [
    ...(bytesPerSecond === undefined ? [] : [`${bytesText(bytesPerSecond)}/s`]),
    ...(leftMs === undefined ? [] : [`${durationText(leftMs)} left`]),
  ]
}

/** A part of a line. Parts with a high rank are left out first; `narrow` replaces the text before that. */
type Part = {
  readonly text: string
  readonly rank: number
  readonly narrow?: string
  readonly style?: (text: string) => string
}

function barParts(share: number, hasColors: boolean): Part[] {
  const draw = (cells: number) => {
    const filled = Math.floor(Math.min(1, Math.max(0, share)) * cells)
    return `[${'#'.repeat(filled)}${'-'.repeat(cells - filled)}]`
  }
  const style = (text: string) =>
    hasColors ? text.replace(/#+/, (cells) => styleText('green', cells, { validateStream: false })) : text
  return [
    { text: draw(BAR_CELLS), narrow: draw(NARROW_BAR_CELLS), rank: 2, style },
    { text: percentText(share).padStart(4), rank: 0 },
  ]
}

function lengthOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { text }) => sum + text.length + 1, -1)
}

function lineWidth(columns: number): number {
  return Math.max(1, columns - 1)
}

function narrowed(parts: readonly Part[]): Part[] {
  return parts.map(({ narrow, ...part }) => ({ ...part, text: narrow ?? part.text }))
}

/** Joins parts to a line that is shorter than the terminal is wide, so that it never wraps. */
function fit(parts: readonly Part[], columns: number): string {
  const width = lineWidth(columns)
  let kept = [...parts]
  const length = () => lengthOf(kept)
  if (length() > width) kept = narrowed(kept)
  while (length() > width && kept.length > 1) {
    const highest = Math.max(...kept.map(({ rank }) => rank))
    const last = kept.findLastIndex(({ rank }) => rank === highest)
    if (highest <= 1) break
    kept.splice(last, 1)
  }
  const excess = length() - width
  if (excess > 0) kept = shortenFirst(kept, excess, width)
  return kept.map(({ text, style = (plain: string) => plain }) => style(text)).join(' ')
}

/** Cuts off the end of the first part, the label or the title. Without room for that the last part remains. */
function shortenFirst([first, ...others]: Part[], excess: number, width: number): Part[] {
  if (!first) return []
  const room = first.text.length - excess
  if (room >= 4) return [{ ...first, text: `${first.text.slice(0, room - 1)}~` }, ...others]
  const last = others.at(-1) ?? first
  return [{ text: last.text.trim().slice(0, width), rank: 0 }]
}
