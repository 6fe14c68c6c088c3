/** Names come from anybody: with a seed of our own, nobody can choose many that fall together. */
const SEED = Math.floor(Math.random() * 2 ** 32)

/** A number for a text and what it belongs to, of 32 bits; another one in each process. */
export function hashOf(text: string, owner = 0): number {
  let hash = Math.imul(SEED ^ owner, 0x9e3779b1)
  for (let i = 0; i < text.length; i++) {
    // As MurmurHash2 mixes: without the shift, some texts fall together whatever the seed.
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x5bd1e995)
    hash ^= hash >>> 15
  }
  return hash
}
