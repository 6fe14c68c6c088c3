/** Copies blocks of the source unchanged, by shifting their bits. */
import { markBlock, outBits, outCount, outEnd, setFinal, setWriter } from './bit-writer'
import { INPUT } from './layout'
import { bitsOf, endOf, firstBitOf, isStored, startOf } from './parse'
import { storedBits, writeStored } from './block-writer'

/**
 * Copies a block of the source. A stored block must be aligned again, and a poorly compressed one may be
 * larger than stored.
 */
export function copyBlock(block: usize): void {
  const bits = bitsOf(block)
  if (isStored(block) || bits > <u64>storedBits(endOf(block) - startOf(block))) {
    writeStored(startOf(block), endOf(block))
    return
  }
  markBlock()
  copyBits(firstBitOf(block), bits)
  // It may have been the final block of the source.
  setFinal(false)
}

function copyBits(first: u64, left: u64): void {
  let from = INPUT + <usize>(first >> 3)
  const shift = first & 7
  let bits = outBits
  let count = outCount
  let to = outEnd
  for (; left >= 48; left -= 48) {
    bits |= ((load<u64>(from) >> shift) & 0xffffffffffff) << count
    store<u64>(to, bits)
    from += 6
    to += 6
    bits >>= 48
  }
  bits |= ((load<u64>(from) >> shift) & ((<u64>1 << left) - 1)) << count
  count += left
  store<u64>(to, bits)
  setWriter(bits >> (count & 56), count & 7, to + <usize>(count >> 3))
}
