import { LayerError } from '../../tar/errors.ts'
import { BLOCK, GNU_MAGIC, GNU_TIMES, isStar, magicOf, type TarEntry, TIME_BYTES } from '../../tar/header.ts'
import { numericField, paxTime, type TarTime } from '../../tar/numbers.ts'
import { parsePax } from '../../tar/pax.ts'
import { exactTocTime, tocSeconds } from '../index/toc-time.ts'

/** Times as RFC 3339, with fractions of seconds. What a table of contents says already is left out. */
export type HeaderTimes = { modtime?: string; accesstime?: string; changetime?: string }

const LINK = 157
/** Major and minor number. */
const DEVICE = [329, 337]

/**
 * The times that a header has beside whole seconds of its last change, as Go's `archive/tar` reads them.
 * @param header all raw blocks of the entry
 * @returns undefined for headers that Go takes otherwise than this broker, or whose times RFC 3339 cannot write
 */
export function timesOfHeader(entry: TarEntry, header: Buffer): HeaderTimes | undefined {
  try {
    return readTimes(entry, header)
  } catch (error) {
    // Nobody else reads times of access: what is wrong with one is no reason to refuse the layer.
    if (error instanceof LayerError) return undefined
    throw error
  }
}

function readTimes(entry: TarEntry, header: Buffer): HeaderTimes | undefined {
  let pax = new Map<string, Buffer>()
  let hasLongLink = false
  let at = 0
  while (at + BLOCK < header.length) {
    const flag = String.fromCharCode(header[at + 156] ?? 0)
    const size = numericField(header, at + 124, 12) ?? 0
    at += BLOCK
    if (flag === 'g') return undefined
    // Of several, the last one counts.
    if (flag === 'x') pax = parsePax(header.subarray(at, at + size))
    if (flag === 'K') hasLongLink = true
    at += Math.ceil(size / BLOCK) * BLOCK
  }
  const block = header.subarray(at, at + BLOCK)
  // Star has times in places of its own, which hardly any writer fills.
  if (isStar(block)) return undefined
  if (entry.type !== 'reg' && (numericField(block, 124, 12) !== 0 || Number(pax.get('size') ?? 0) !== 0))
    return undefined
  const namesLink = block[LINK] !== 0 || hasLongLink || (pax.get('linkpath')?.length ?? 0) > 0
  if (namesLink && entry.linkName === undefined) return undefined
  // vbatts/tar-split reads these of every type.
  const isDevice = entry.type === 'char' || entry.type === 'block'
  const hasDevices = magicOf(block).startsWith('ustar')
  if (hasDevices && !isDevice && DEVICE.some((start) => numericField(block, start, 8) !== 0)) return undefined
  const gnu = gnuTimes(block)
  const recorded = (key: string) => {
    const value = pax.get(key)
    return value && value.length > 0 ? paxTime(key, value) : undefined
  }
  const times: HeaderTimes = {}
  const add = (key: keyof HeaderTimes, time: TarTime | undefined) => {
    if (time === undefined) return true
    const text = exactTocTime(time)
    if (text !== undefined) times[key] = text
    return text !== undefined
  }
  const { mtime } = entry
  const isSaid = mtime.nanoseconds === 0 && tocSeconds(mtime) !== undefined
  const isKnown =
    add('modtime', isSaid ? undefined : mtime) &&
    add('accesstime', recorded('atime') ?? gnu.accessed) &&
    add('changetime', recorded('ctime') ?? gnu.changed)
  return isKnown ? times : undefined
}

/** What is no time in both places is a prefix of a name that Go wrote before 1.8. */
function gnuTimes(block: Buffer): { accessed?: TarTime; changed?: TarTime } {
  if (magicOf(block) !== GNU_MAGIC) return {}
  const [accessed, changed] = GNU_TIMES.map((at) => {
    if (block[at] === 0) return {}
    const seconds = numericField(block, at, TIME_BYTES)
    return seconds === undefined ? undefined : { time: { seconds, nanoseconds: 0 } }
  })
  if (accessed === undefined || changed === undefined) return {}
  return {
    ...('time' in accessed && accessed.time && { accessed: accessed.time }),
    ...('time' in changed && changed.time && { changed: changed.time }),
  }
}
