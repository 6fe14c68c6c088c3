import { fieldError } from '../problem.ts'
import type { Rule } from './rule.ts'

/** Characters of all globs of one rule. The cost of matching them grows with it. */
const MAX_GLOB_CHARACTERS = 4_000

/**
 * Checks the length of all globs of a rule together. Stored rules of older releases may be longer.
 * @throws HttpError GLOBS_TOO_COSTLY
 */
export function assertGlobLength({
  source,
  tags,
  exceptTags,
}: Pick<Rule, 'source' | 'tags' | 'exceptTags'>): void {
  const [ofTags, ofExceptTags] = [tags.join('').length, exceptTags.join('').length]
  const length = source.length + ofTags + ofExceptTags
  if (length <= MAX_GLOB_CHARACTERS) return
  const field = ofTags >= ofExceptTags ? 'tags' : 'exceptTags'
  const message = `the globs of a rule have at most ${MAX_GLOB_CHARACTERS} characters together, and these have ${length}; use fewer or shorter ones, or several rules`
  throw fieldError(422, 'GLOBS_TOO_COSTLY', `body.${field}`, message)
}
