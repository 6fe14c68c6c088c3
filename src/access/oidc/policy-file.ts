import { z } from 'zod'

/** The number of policies of a file. */
const MAX_POLICIES = 1000

/** A file of policies is invalid. The message names the field; it contains no value of the file. */
export class PolicyFileError extends Error {
  override readonly name = 'PolicyFileError'
}

/**
 * Parses a list of policies with unique names.
 * @param text the JSON of the file
 * @throws PolicyFileError
 */
export function parsePolicyFile<Policy extends { readonly name: string }>(
  schema: z.ZodType<Policy>,
  text: string,
): Policy[] {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    // The reason quotes the text of the file.
    throw new PolicyFileError('is not JSON')
  }
  const parsed = z.array(schema).min(1, 'expected at least one policy').max(MAX_POLICIES).safeParse(document)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new PolicyFileError(
      `${fieldAt(issue?.path ?? [])}${issue ? messageOf(issue, document) : 'is invalid'}`,
    )
  }
  const names = new Set<string>()
  for (const [index, { name }] of parsed.data.entries()) {
    if (names.has(name)) throw new PolicyFileError(`[${index}].name: another policy has this name, too`)
    names.add(name)
  }
  return parsed.data
}

/** A path such as `[0].conditions["/kubernetes.io/namespace"]: `. */
function fieldAt(path: readonly PropertyKey[]): string {
  if (path.length === 0) return ''
  const parts = path.map((part, index) => {
    if (typeof part === 'number') return `[${part}]`
    const name = String(part)
    return /^\w+$/.test(name) ? `${index === 0 ? '' : '.'}${name}` : `[${JSON.stringify(name)}]`
  })
  return `${parts.join('')}: `
}

/** Whether an object has no field at a path. */
function isMissing(path: readonly PropertyKey[], document: unknown): boolean {
  const at = (value: unknown, key: PropertyKey) =>
    typeof value === 'object' && value !== null && Object.hasOwn(value, key)
      ? (value as Record<PropertyKey, unknown>)[key]
      : undefined
  return path.length > 0 && path.reduce(at, document) === undefined
}

/** The reason why a key is refused is in an issue of its own. */
function messageOf(issue: z.core.$ZodIssue, document: unknown): string {
  if (issue.code !== 'custom' && isMissing(issue.path, document)) return 'is required'
  return issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message
}
