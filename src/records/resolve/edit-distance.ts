/** NAME_MAX of Linux. */
export const MAX_COMPARED_CHARACTERS = 255

/** The current row of the distance matrix. It is shared, because comparisons never overlap. */
const row = new Int32Array(2 * MAX_COMPARED_CHARACTERS)

/**
 * Returns Levenshtein's distance, or `limit` if it is not below that. `b` may have twice
 * {@link MAX_COMPARED_CHARACTERS}, less one.
 */
export function editDistance(a: string, b: string, limit: number): number {
  for (let j = 0; j <= b.length; j++) row[j] = j
  for (let i = 1; i <= a.length; i++) {
    let diagonal = i - 1
    let left = i
    let rowMin = i
    row[0] = i
    for (let j = 1; j <= b.length; j++) {
      const above = row[j] ?? 0
      const isSame = a.charCodeAt(i - 1) === b.charCodeAt(j - 1)
      left = Math.min(diagonal + (isSame ? 0 : 1), above + 1, left + 1)
      diagonal = above
      row[j] = left
      if (left < rowMin) rowMin = left
    }
    if (rowMin >= limit) return limit
  }
  return Math.min(limit, row[b.length] ?? limit)
}
