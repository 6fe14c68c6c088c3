import { randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const PREFIX = 'rbt_'
/** Characters of 62 values each: 190 bits. */
const RANDOM_LENGTH = 32
/** A CRC-32 in the same alphabet. */
const CHECKSUM_LENGTH = 6
/** The part that lists show: 154 bits of the random part remain secret. */
const SHOWN_LENGTH = PREFIX.length + 6

const FORM = new RegExp(`^${PREFIX}[0-9A-Za-z]{${RANDOM_LENGTH + CHECKSUM_LENGTH}}$`)

/**
 * Returns a new secret: `rbt_`, a random part, and a checksum. Scanners recognise it in a text by its prefix, and tell it
 * from what only looks like one by the checksum. A double click selects it as one word.
 */
export function newTokenText(): string {
  const characters = Array.from({ length: RANDOM_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)])
  const random = characters.join('')
  return `${PREFIX}${random}${checksumOf(random)}`
}

/** Whether a text has the form of an API token and no typing error. It may belong to no token. */
export function isTokenText(text: string): boolean {
  return FORM.test(text) && text.endsWith(checksumOf(text.slice(PREFIX.length, -CHECKSUM_LENGTH)))
}

/** The beginning of a token, by which people tell tokens apart. */
export function shownPrefix(text: string): string {
  return text.slice(0, SHOWN_LENGTH)
}

function checksumOf(random: string): string {
  let rest = crc32(random)
  let digits = ''
  for (let n = 0; n < CHECKSUM_LENGTH; n++) {
    digits = `${ALPHABET[rest % ALPHABET.length]}${digits}`
    rest = Math.floor(rest / ALPHABET.length)
  }
  return digits
}
