import { nanosecondsOf, type TarTime } from '../../tar/numbers.ts'

/**
 * A time as the table of contents has it, rounded to the second since 1970; undefined for years that RFC 3339 cannot write.
 * The first second of 1970 is a time like any other: readers show the year 1 where there is none.
 */
export function tocSeconds(time: TarTime): number | undefined {
  const seconds = time.seconds + (time.nanoseconds >= 5e8 ? 1 : 0)
  return seconds >= FIRST_SECOND && seconds <= LAST_SECOND ? seconds : undefined
}

/** UTC, RFC 3339. */
export function tocTime(seconds: number): string {
  const day = Math.floor(seconds / DAY)
  if (day !== last.day) last = { day, text: new Date(day * DAY * 1000).toISOString().slice(0, 11) }
  const time = seconds - day * DAY
  return `${last.text}${twoDigits(time / 3600)}:${twoDigits((time / 60) % 60)}:${twoDigits(time % 60)}Z`
}

/** The same with the fraction of a second; undefined for years that RFC 3339 cannot write. */
export function exactTocTime({ seconds, nanoseconds }: TarTime): string | undefined {
  if (tocSeconds({ seconds, nanoseconds: 0 }) === undefined) return undefined
  const fraction = `${nanoseconds}`.padStart(9, '0').replace(/0+$/, '')
  const text = tocTime(seconds)
  return fraction === '' ? text : text.replace('Z', `.${fraction}Z`)
}

/** A time to the second, by the rule of {@link tocSeconds}. What is no such time stays as it is. */
export function roundedTocTime(text: string): string {
  const [, whole, fraction = ''] = /^(.+)\.(\d+)Z$/.exec(text) ?? []
  const seconds = Date.parse(`${whole}Z`) / 1000
  if (Number.isNaN(seconds)) return text
  const rounded = tocSeconds({ seconds, nanoseconds: nanosecondsOf(fraction) })
  return rounded === undefined ? text : tocTime(rounded)
}

const DAY = 24 * 3600
/** The day asked for last: the entries of an archive often share theirs, and a date takes long to work out. */
let last = { day: Number.NaN, text: '' }

function twoDigits(value: number): string {
  return value < 10 ? `0${Math.floor(value)}` : `${Math.floor(value)}`
}

/** Of the years 0 and 9999. */
const FIRST_SECOND = Date.parse('0000-01-01T00:00:00Z') / 1000
const LAST_SECOND = Date.parse('9999-12-31T23:59:59Z') / 1000
