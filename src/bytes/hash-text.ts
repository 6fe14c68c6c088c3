/** Anybody may choose the names that are hashed. A random seed keeps them from choosing many that collide. */
const SEED = Math.floor(Math.random() * 2 ** 32)

/** Returns a 32-bit hash of a text and the number of its owner. It differs from process to process. */
export function hashText(text: string, owner = 0): number {
  let hash = Math.imul(SEED ^ owner, 0x9e3779b1)
  for (let i = 0; i < text.length; i++) {
    // The mixing step of MurmurHash2. Without the shift, some texts collide whatever the seed.
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x5bd1e995)
    hash ^= hash >>> 15
  }
  return hash
}
