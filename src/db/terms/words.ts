/** Words of one text, and characters of one word, at most. */
const MAX_WORDS = 64
const MAX_WORD_LENGTH = 64

/** Returns the distinct words of texts in lower case: runs of letters and digits. */
export function wordsOf(...texts: readonly (string | undefined)[]): string[] {
  const words = new Set<string>()
  for (const text of texts) {
    for (const [word] of (text ?? '').toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)) {
      if (words.size >= MAX_WORDS) return [...words]
      words.add(word.slice(0, MAX_WORD_LENGTH))
    }
  }
  return [...words]
}
