import { RecordError } from './errors.ts'

const MAX_ALTERNATIVES = 64

/**
 * A glob without its `{a,b}`: one pattern for each choice, nested ones too, in the order they are written.
 * @returns undefined when a brace or a class is not closed
 * @throws RecordError INVALID_RECORD for more than 64 choices
 */
export function expandBraces(pattern: string): string[] | undefined {
  const done: string[] = []
  const open = [pattern]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const choice = firstChoice(next)
    if (choice === 'malformed') return undefined
    if (choice === undefined) done.push(next)
    else open.push(...choice.reverse())
    if (open.length + done.length > MAX_ALTERNATIVES) {
      throw new RecordError(
        'INVALID_RECORD',
        `a glob has at most ${MAX_ALTERNATIVES} alternatives in braces; write several globs`,
      )
    }
  }
  return done
}

/** The patterns that the first brace of a pattern stands for; undefined without a brace. */
function firstChoice(pattern: string): string[] | 'malformed' | undefined {
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern.charAt(at)
    if (character === '\\') at += 1
    else if (character === '[') {
      const end = skipClass(pattern, at)
      if (end === undefined) return 'malformed'
      at = end - 1
    } else if (character === '{') {
      const inside = choicesFrom(pattern, at + 1)
      if (inside === undefined) return 'malformed'
      return inside.choices.map((text) => pattern.slice(0, at) + text + pattern.slice(inside.end))
    }
  }
  return undefined
}

/** The texts between the commas up to the closing brace, and the place after it. */
function choicesFrom(pattern: string, start: number): { choices: string[]; end: number } | undefined {
  const choices: string[] = []
  let depth = 0
  let from = start
  for (let at = start; at < pattern.length; at++) {
    const character = pattern.charAt(at)
    if (character === '\\') at += 1
    else if (character === '{') depth += 1
    else if (character === ',' && depth === 0) {
      choices.push(pattern.slice(from, at))
      from = at + 1
    } else if (character === '}') {
      if (depth === 0) return { choices: [...choices, pattern.slice(from, at)], end: at + 1 }
      depth -= 1
    }
  }
  return undefined
}

/** The place after the `]` of the class that begins at `start`; undefined when it is empty or not closed. */
export function skipClass(pattern: string, start: number): number | undefined {
  let at = start + 1
  if (pattern[at] === '!' || pattern[at] === '^') at += 1
  if (pattern[at] === ']') return undefined
  for (; at < pattern.length; at++) {
    if (pattern[at] === '\\') at += 1
    else if (pattern[at] === ']') return at + 1
  }
  return undefined
}
