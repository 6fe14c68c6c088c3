/** Decodes a deflate stream (RFC 1951) from input in pieces of any size, and records its parse. */
import {
  alignToByte,
  bitCount,
  bitPosition,
  bits,
  bytesLeft,
  dropInputBefore,
  end,
  next,
  overran,
  refill,
  resetInput,
  setReader,
  settleBits,
  take,
} from './bit-reader'
import { MAX_HEADER, readCodes, resetCodes, useFixedCodes } from './block-header'
import { DISTANCE_BITS, END, EXCEPTION, INVALID, LITERAL, LITERAL_BITS } from './decode-table'
import {
  DISTANCE_TABLE,
  INPUT,
  LITERAL_TABLE,
  MAX_COPIED_PLAIN,
  PAUSE_INPUT,
  PAUSE_PLAIN,
  PLAIN,
  WINDOW,
} from './layout'
import { addBlock, blocksFull, MATCHES_LIMIT, matchesEnd, packMatch, setMatchesEnd } from './parse'

/**
 * The result of decoding. All but `needsInput` depend on the stream alone, not on how the input was cut into
 * pieces.
 */
export const enum Status {
  needsInput,
  /** Uncompressed bytes are ready. Decoding continues once they were discarded. */
  pause,
  /** The stream is complete. */
  end,
  invalidBlock,
  invalidCodes,
  invalidSymbol,
  cutOff,
}

const enum State {
  header,
  stored,
  compressed,
}

let state: State = State.header
let lastBlock = false
let storedLeft: usize = 0

/** The address of the next uncompressed byte, and that of the first one since the last pause. */
export let plainEnd: usize = PLAIN
let pausedAt: usize = PLAIN
/** The address at which the stream starts. Matches must not reach before it. */
let streamStart: usize = PLAIN
/** The address at which the literals before the next match start. */
let literalsStart: usize = PLAIN

/** The current block: its first bit, its first address, and the lowest address that its matches copy from. */
let blockBit: u64 = 0
let blockStart: usize = PLAIN
let blockReach: usize = PLAIN
/** Whether the input of the block is retained. */
let blockKept = false
/** The first bit of the retained input. */
let keptBit: u64 = 0
let anyKept = false

export function resetDecoder(): void {
  resetCodes()
  plainEnd = PLAIN
  pausedAt = PLAIN
  literalsStart = PLAIN
  anyKept = false
  beginStream()
}

/**
 * Starts a stream, once the uncompressed bytes of the previous one were discarded. Drops the remaining input.
 */
export function beginStream(): void {
  resetInput()
  state = State.header
  streamStart = plainEnd
}

/** Appends uncompressed bytes from elsewhere, which the caller wrote. */
export function appendPlain(length: usize): void {
  plainEnd += length
  pausedAt = plainEnd
}

/**
 * Discards the uncompressed bytes, except one window before their end.
 * @param move by how much the addresses of uncompressed bytes moved down
 */
export function passPlain(move: usize): void {
  plainEnd -= move
  pausedAt = plainEnd
  literalsStart = plainEnd
  blockStart -= move
  blockReach -= move
  blockKept = false
  anyKept = false
  streamStart = streamStart > PLAIN + move ? streamStart - move : PLAIN
  dropReadInput()
}

/**
 * Decodes until uncompressed bytes are ready or the input runs low.
 * @param last whether no more input follows
 */
export function decode(last: bool): Status {
  while (true) {
    let status: Status
    if (state == State.header) status = readHeader(last)
    else if (state == State.stored) status = copyStored(last)
    else status = decodeSymbols(last)
    if (status != Status.end) return status
    if (lastBlock && state == State.header) return finish()
    if (mustPause()) return Status.pause
  }
}

function finish(): Status {
  alignToByte()
  return overran() ? Status.cutOff : Status.end
}

@inline
function mustPause(): bool {
  return (
    state == State.header &&
    (plainEnd - pausedAt >= PAUSE_PLAIN ||
      blocksFull() ||
      (anyKept && bitPosition() - keptBit >= <u64>PAUSE_INPUT << 3))
  )
}

/**
 * Reads a block header. `Status.end` of this function and those below means that decoding of the block
 * progressed.
 */
function readHeader(last: bool): Status {
  if (!last && bytesLeft() < MAX_HEADER) {
    if (!anyKept) dropReadInput()
    return Status.needsInput
  }
  blockBit = bitPosition()
  blockStart = plainEnd
  blockReach = plainEnd
  blockKept = true
  refill()
  lastBlock = take(1) == 1
  const kind = take(2)
  if (kind == 0) {
    alignToByte()
    refill()
    const length = take(16)
    if ((length ^ take(16)) != 0xffff) return Status.invalidBlock
    storedLeft = <usize>length
    state = State.stored
  } else if (kind == 1) {
    useFixedCodes()
    state = State.compressed
  } else if (kind == 2) {
    if (!readCodes()) return Status.invalidCodes
    state = State.compressed
  } else {
    return Status.invalidBlock
  }
  if (overran()) return Status.cutOff
  settleBits()
  if (kind == 0) alignToByte()
  return Status.end
}

/** Drops consumed input once there is much of it. */
function dropReadInput(): void {
  const read = next - <usize>((bitCount + 7) >> 3)
  if (read - INPUT < PAUSE_INPUT >> 2) return
  dropInputBefore(read)
}

function endBlock(stored: bool): void {
  state = State.header
  if (plainEnd == blockStart || !blockKept) return
  addBlock(blockBit, bitPosition(), blockStart, plainEnd, blockReach, stored)
  if (!anyKept) keptBit = blockBit
  anyKept = true
}

function copyStored(last: bool): Status {
  const length = min(storedLeft, end - next)
  memory.copy(plainEnd, next, length)
  setReader(0, 0, next + length)
  plainEnd += length
  storedLeft -= length
  if (storedLeft > 0) return last ? Status.cutOff : Status.needsInput
  endBlock(true)
  return Status.end
}

/** Stops retaining the input of a block that grew too large. */
function letGo(): Status {
  blockKept = false
  return Status.pause
}

function decodeSymbols(last: bool): Status {
  const limit = blockKept ? blockStart + MAX_COPIED_PLAIN : pausedAt + PAUSE_PLAIN
  const safe = last ? end + 8 : end - 16
  const start = streamStart
  let buffer = bits
  let count = bitCount
  let from = next
  let to = plainEnd
  let literals = literalsStart
  let match = matchesEnd
  let reach = blockReach
  let status: Status = Status.end
  // Only the lowest six bits of `count` are valid. The buffer is refilled and the next entry looked up before
  // a match is copied, so that the processor can do both at once.
  if (from <= safe) {
    buffer |= load<u64>(from) << count
    from += 7 - <usize>((count >> 3) & 7)
    count |= 56
  }
  let entry = lookUp(LITERAL_TABLE, buffer, LITERAL_BITS)
  while (true) {
    if (to >= limit || match >= MATCHES_LIMIT) {
      status = Status.pause
      break
    }
    if (from > safe) {
      status = last ? Status.cutOff : Status.needsInput
      break
    }
    let before = buffer
    // Three literals consume at most 33 of 56 bits before the refill.
    if (entry & LITERAL) {
      buffer >>= entry
      count -= entry
      store<u8>(to++, <u8>(entry >> 16))
      entry = lookUp(LITERAL_TABLE, buffer, LITERAL_BITS)
      if (entry & LITERAL) {
        buffer >>= entry
        count -= entry
        store<u8>(to++, <u8>(entry >> 16))
        entry = lookUp(LITERAL_TABLE, buffer, LITERAL_BITS)
        if (entry & LITERAL) {
          buffer >>= entry
          count -= entry
          store<u8>(to++, <u8>(entry >> 16))
          buffer |= load<u64>(from) << count
          from += 7 - <usize>((count >> 3) & 7)
          count |= 56
          entry = lookUp(LITERAL_TABLE, buffer, LITERAL_BITS)
          continue
        }
      }
      before = buffer
    }
    buffer >>= entry
    count -= entry
    if (entry & EXCEPTION) {
      if (entry & END) {
        if (entry & INVALID) status = Status.invalidSymbol
        break
      }
      entry = lookUpSecond(LITERAL_TABLE, buffer, entry)
      before = buffer
      buffer >>= entry
      count -= entry
      if (entry & LITERAL) {
        store<u8>(to++, <u8>(entry >> 16))
        buffer |= load<u64>(from) << count
        from += 7 - <usize>((count >> 3) & 7)
        count |= 56
        entry = lookUp(LITERAL_TABLE, buffer, LITERAL_BITS)
        continue
      }
      if (entry & EXCEPTION) {
        if (entry & INVALID) status = Status.invalidSymbol
        break
      }
    }
    const length = valueOf(entry, before)
    if ((count & 63) < 28) {
      buffer |= load<u64>(from) << count
      from += 7 - <usize>((count >> 3) & 7)
      count |= 56
    }
    entry = lookUp(DISTANCE_TABLE, buffer, DISTANCE_BITS)
    if (entry & EXCEPTION) {
      if (entry & END) {
        status = Status.invalidSymbol
        break
      }
      buffer >>= entry
      count -= entry
      entry = lookUpSecond(DISTANCE_TABLE, buffer, entry)
      if (entry & EXCEPTION) {
        status = Status.invalidSymbol
        break
      }
    }
    const distance = valueOf(entry, buffer)
    buffer >>= entry
    count -= entry
    if (to - start < distance) {
      status = Status.invalidSymbol
      break
    }
    const source = to - distance
    if (source < reach) reach = source
    store<u64>(match, packMatch(to - literals, distance, length))
    match += 8
    buffer |= load<u64>(from) << count
    from += 7 - <usize>((count >> 3) & 7)
    count |= 56
    entry = lookUp(LITERAL_TABLE, buffer, LITERAL_BITS)
    copyMatch(to, source, distance, length)
    to += length
    literals = to
  }
  setReader(buffer, count & 63, from)
  plainEnd = to
  literalsStart = literals
  setMatchesEnd(match)
  blockReach = reach
  if (status == Status.pause) return letGo()
  if (status != Status.end) {
    if (status == Status.needsInput && !anyKept && !blockKept) dropReadInput()
    return status
  }
  if (overran()) return Status.cutOff
  endBlock(false)
  return Status.end
}

@inline
function lookUp(table: usize, buffer: u64, width: u32): u64 {
  return <u64>load<u32>(table + (<usize>(buffer & ((1 << width) - 1)) << 2))
}

/** Looks up a code in the second table that the entry `first` refers to. */
@inline
function lookUpSecond(table: usize, buffer: u64, first: u64): u64 {
  const mask = (<u64>1 << ((first >> 8) & 15)) - 1
  return <u64>load<u32>(table + (<usize>((first >> 16) + (buffer & mask)) << 2))
}

/** Returns base plus extra bits of an entry. @param before the bits before its code was consumed */
@inline
function valueOf(entry: u64, before: u64): usize {
  const extra = (before & ((<u64>1 << (entry & 63)) - 1)) >> ((entry >> 8) & 15)
  return <usize>(entry >> 16) + <usize>extra
}

/** Copies a match, which may overlap itself. Writes up to 32 bytes beyond its end. */
@inline
function copyMatch(to: usize, source: usize, distance: usize, length: usize): void {
  const stop = to + length
  if (distance >= 16) {
    v128.store(to, v128.load(source))
    v128.store(to, v128.load(source, 16), 16)
    if (length > 32) {
      to += 32
      source += 32
      while (to < stop) {
        v128.store(to, v128.load(source))
        to += 16
        source += 16
      }
    }
  } else if (distance >= 8) {
    do {
      store<u64>(to, load<u64>(source))
      to += 8
      source += 8
    } while (to < stop)
  } else if (distance == 1) {
    const value = i8x16.splat(load<i8>(source))
    do {
      v128.store(to, value)
      to += 16
    } while (to < stop)
  } else {
    do {
      store<u64>(to, load<u64>(source))
      to += distance
      source += distance
    } while (to < stop)
  }
}
