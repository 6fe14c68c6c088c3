import { nearestName } from './nearest-name.ts'

/** The number of unknown names that an error lists, and the number of characters of each. */
const MAX_LISTED = 10
const MAX_CHARACTERS = 60

/** Lists names that a caller gave, each with the known name that the caller may have meant. */
export function listUnknownNames(unknown: readonly string[], known: readonly string[]): string {
  const listed = unknown.slice(0, MAX_LISTED).map((name) => {
    const nearest = nearestName(name, known)
    return nearest === undefined ? quoted(name) : `${quoted(name)} (did you mean "${nearest}"?)`
  })
  if (unknown.length > MAX_LISTED) listed.push(`and ${unknown.length - MAX_LISTED} more`)
  return listed.join(', ')
}

/** Quotes a name that a caller gave, and shortens it. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > MAX_CHARACTERS ? `${name.slice(0, MAX_CHARACTERS)}…` : name)
}
