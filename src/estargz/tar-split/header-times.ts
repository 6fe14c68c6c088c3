import {
  BLOCK_BYTES,
  GNU_MAGIC,
  GNU_TIMES,
  isStarHeader,
  readMagic,
  type TarEntry,
  TIME_BYTES,
} from '../../tar/header.ts'
import { LayerError } from '../../tar/layer-error.ts'
import { parsePaxTime, readNumericField, type TarTime } from '../../tar/numbers.ts'
import { parsePax } from '../../tar/pax.ts'
import { formatExactTocTime, roundToSeconds } from '../index/toc-time.ts'

/**
 * Times by RFC 3339, with fractions of seconds. Omits a time that the table of contents already holds
 * exactly.
 */
export type HeaderTimes = { modtime?: string; accesstime?: string; changetime?: string }

/** Offsets of header fields. */
const SIZE = { offset: 124, length: 12 } as const
const TYPE_FLAG_OFFSET = 156
const LINK_NAME_OFFSET = 157
/** Major and minor device number. */
const DEVICE_OFFSETS = [329, 337]
const DEVICE_BYTES = 8

/**
 * Reads the times that headers hold in addition to the modification time in whole seconds, as Go's
 * `archive/tar` does.
 * @param header all raw blocks of the entry
 * @returns undefined if Go reads the headers differently than this broker, or RFC 3339 cannot express a time
 */
export function readHeaderTimes(entry: TarEntry, header: Buffer): HeaderTimes | undefined {
  try {
    return readTimes(entry, header)
  } catch (error) {
    // Nothing else reads access times, so an invalid one is no reason to reject the layer.
    if (error instanceof LayerError) return undefined
    throw error
  }
}

function readTimes(entry: TarEntry, header: Buffer): HeaderTimes | undefined {
  let pax = new Map<string, Buffer>()
  let hasLongLink = false
  let offset = 0
  while (offset + BLOCK_BYTES < header.length) {
    const flag = String.fromCharCode(header[offset + TYPE_FLAG_OFFSET] ?? 0)
    const size = readNumericField(header, offset + SIZE.offset, SIZE.length) ?? 0
    offset += BLOCK_BYTES
    if (flag === 'g') return undefined
    // The last of several PAX headers counts.
    if (flag === 'x') pax = parsePax(header.subarray(offset, offset + size))
    if (flag === 'K') hasLongLink = true
    offset += Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES
  }
  const block = header.subarray(offset, offset + BLOCK_BYTES)
  // star stores times in fields of its own, which hardly any writer fills.
  if (isStarHeader(block)) return undefined
  if (entry.type !== 'reg') {
    const size = readNumericField(block, SIZE.offset, SIZE.length)
    if (size !== 0 || Number(pax.get('size') ?? 0) !== 0) return undefined
  }
  const hasLinkName = block[LINK_NAME_OFFSET] !== 0 || hasLongLink || (pax.get('linkpath')?.length ?? 0) > 0
  if (hasLinkName && entry.linkName === undefined) return undefined
  // vbatts/tar-split reads device numbers for entries of every type.
  const isDevice = entry.type === 'char' || entry.type === 'block'
  const hasDeviceFields = readMagic(block).startsWith('ustar')
  if (hasDeviceFields && !isDevice) {
    const isSet = (start: number) => readNumericField(block, start, DEVICE_BYTES) !== 0
    if (DEVICE_OFFSETS.some(isSet)) return undefined
  }
  const gnu = readGnuTimes(block)
  const readPaxTime = (key: string) => {
    const value = pax.get(key)
    return value && value.length > 0 ? parsePaxTime(key, value) : undefined
  }
  const times: HeaderTimes = {}
  /** Returns whether RFC 3339 can express the time. */
  const add = (key: keyof HeaderTimes, time: TarTime | undefined) => {
    if (time === undefined) return true
    const text = formatExactTocTime(time)
    if (text !== undefined) times[key] = text
    return text !== undefined
  }
  const { mtime } = entry
  const isListedExactly = mtime.nanoseconds === 0 && roundToSeconds(mtime) !== undefined
  const isExpressible =
    add('modtime', isListedExactly ? undefined : mtime) &&
    add('accesstime', readPaxTime('atime') ?? gnu.accessed) &&
    add('changetime', readPaxTime('ctime') ?? gnu.changed)
  return isExpressible ? times : undefined
}

/**
 * Reads GNU's times. If either field is not a time, the two hold a prefix of the name, as written by Go
 * before 1.8.
 */
function readGnuTimes(block: Buffer): { accessed?: TarTime; changed?: TarTime } {
  if (readMagic(block) !== GNU_MAGIC) return {}
  const [accessed, changed] = GNU_TIMES.map((offset) => {
    if (block[offset] === 0) return {}
    const seconds = readNumericField(block, offset, TIME_BYTES)
    return seconds === undefined ? undefined : { time: { seconds, nanoseconds: 0 } }
  })
  if (accessed === undefined || changed === undefined) return {}
  return {
    ...('time' in accessed && accessed.time && { accessed: accessed.time }),
    ...('time' in changed && changed.time && { changed: changed.time }),
  }
}
