import { editDistance, MAX_COMPARED_CHARACTERS } from '../../records/resolve/edit-distance.ts'

/** Names are near if their edit distance is at most this, and less than half of the length of the known name. */
const MAX_DISTANCE = 3

/** Returns the known name that a caller may have meant. Ignores upper and lower case. */
export function nearestName(given: string, known: Iterable<string>): string | undefined {
  if (given.length > MAX_COMPARED_CHARACTERS) return undefined
  let nearest: string | undefined
  let limit = MAX_DISTANCE + 1
  for (const name of known) {
    const distance = editDistance(given.toLowerCase(), name.toLowerCase(), limit)
    if (distance < limit && distance < name.length / 2) {
      nearest = name
      limit = distance
    }
  }
  return nearest
}
