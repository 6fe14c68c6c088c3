import type { KeyRing } from '../key-ring.ts'

/** Returns the keyed hashes of a token, by the key for new tokens first. Another purpose makes all tokens useless. */
export function tokenHashes(keys: KeyRing, secret: string): [string, ...string[]] {
  return keys.hashes('api-token', secret)
}
