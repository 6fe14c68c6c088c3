import { parseNanoseconds, type TarTime } from '../../tar/numbers.ts'

const DAY_SECONDS = 24 * 3600

/** The first second of year 0 and the last of year 9999. */
const MIN_SECONDS = Date.parse('0000-01-01T00:00:00Z') / 1000
const MAX_SECONDS = Date.parse('9999-12-31T23:59:59Z') / 1000

/**
 * Rounds a time to the second since 1970, as tables of contents hold it. Returns undefined for years that RFC
 * 3339 cannot express. 1970-01-01T00:00:00Z is not omitted: readers show the year 1 for an entry without a
 * time.
 */
export function roundToSeconds(time: TarTime): number | undefined {
  const seconds = time.seconds + (time.nanoseconds >= 5e8 ? 1 : 0)
  return seconds >= MIN_SECONDS && seconds <= MAX_SECONDS ? seconds : undefined
}

/** The last formatted day. Entries of an archive often share theirs, and formatting a date is slow. */
let lastDay = { day: Number.NaN, text: '' }

/** Formats seconds since 1970 by RFC 3339, in UTC. */
export function formatTocTime(seconds: number): string {
  const day = Math.floor(seconds / DAY_SECONDS)
  if (day !== lastDay.day) {
    lastDay = { day, text: new Date(day * DAY_SECONDS * 1000).toISOString().slice(0, 11) }
  }
  const time = seconds - day * DAY_SECONDS
  return `${lastDay.text}${twoDigits(time / 3600)}:${twoDigits((time / 60) % 60)}:${twoDigits(time % 60)}Z`
}

/** Formats a time with its fraction of a second. Returns undefined for years that RFC 3339 cannot express. */
export function formatExactTocTime({ seconds, nanoseconds }: TarTime): string | undefined {
  if (roundToSeconds({ seconds, nanoseconds: 0 }) === undefined) return undefined
  const fraction = `${nanoseconds}`.padStart(9, '0').replace(/0+$/, '')
  const text = formatTocTime(seconds)
  return fraction === '' ? text : text.replace('Z', `.${fraction}Z`)
}

/** Rounds a formatted time like {@link roundToSeconds}. Returns other text unchanged. */
export function roundTocTime(text: string): string {
  const [, wholeSeconds, fraction = ''] = /^(.+)\.(\d+)Z$/.exec(text) ?? []
  const seconds = Date.parse(`${wholeSeconds}Z`) / 1000
  if (Number.isNaN(seconds)) return text
  const rounded = roundToSeconds({ seconds, nanoseconds: parseNanoseconds(fraction) })
  return rounded === undefined ? text : formatTocTime(rounded)
}

function twoDigits(value: number): string {
  return value < 10 ? `0${Math.floor(value)}` : `${Math.floor(value)}`
}
