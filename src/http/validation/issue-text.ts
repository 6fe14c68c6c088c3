import type { z } from 'zod'
import { nearestName } from './nearest-name.ts'
import { unionText } from './union-text.ts'
import { listUnknownNames, quoted } from './unknown-names.ts'

type RawIssue = z.core.$ZodRawIssue
type IssueOf<Code extends z.core.$ZodIssue['code']> = z.core.$ZodRawIssue<
  Extract<z.core.$ZodIssue, { code: Code }>
>

/** What zod calls a type, and what callers call it. */
const TYPES: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'an integer',
  number: 'a number',
  object: 'an object',
  record: 'an object',
  string: 'a string',
}

const FORMATS: Readonly<Record<string, string>> = {
  datetime: 'expected a time such as 2026-01-02T03:04:05Z',
  url: 'expected a URL',
  uuid: 'expected a UUID',
}

/** The units of bounds on sizes. */
const UNITS: Readonly<Record<string, string>> = { array: 'items', string: 'characters' }

/**
 * Describes an issue of a request for the caller. For issues that no schema describes itself.
 * @returns undefined if the message of zod serves
 */
export function issueText(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return typeText(issue as IssueOf<'invalid_type'>)
    case 'invalid_value':
      return valueText(issue as IssueOf<'invalid_value'>)
    case 'invalid_format':
      return FORMATS[(issue as IssueOf<'invalid_format'>).format]
    case 'invalid_key':
      return (issue as IssueOf<'invalid_key'>).issues.map(({ message }) => message).join('; ')
    case 'invalid_union':
      return unionText(issue as IssueOf<'invalid_union'>)
    case 'too_big':
    case 'too_small':
      return boundText(issue as IssueOf<'too_big'> | IssueOf<'too_small'>)
    case 'unrecognized_keys':
      return unknownFieldsText(issue as IssueOf<'unrecognized_keys'>)
    default:
      return undefined
  }
}

function typeText({ expected, input }: IssueOf<'invalid_type'>): string {
  const type = TYPES[expected] ?? expected
  return input === undefined ? `is required: ${type}` : `expected ${type}`
}

function valueText({ values, input }: IssueOf<'invalid_value'>): string {
  const known = values.map(String)
  if (input === undefined) return `is required: ${known.join(', ')}`
  const nearest = typeof input === 'string' ? nearestName(input, known) : undefined
  const suggestion = nearest === undefined ? '' : `; did you mean ${nearest}?`
  return `expected ${known.length === 1 ? '' : 'one of '}${known.join(', ')}${suggestion}`
}

function boundText(issue: IssueOf<'too_big'> | IssueOf<'too_small'>): string {
  const isUpper = issue.code === 'too_big'
  const bound = Number(isUpper ? issue.maximum : issue.minimum)
  const unit = UNITS[issue.origin]
  if (unit !== undefined && !isUpper && bound === 1) return 'must not be empty'
  const relation =
    issue.inclusive === false ? (isUpper ? 'less than' : 'more than') : isUpper ? 'at most' : 'at least'
  return `expected ${relation} ${bound}${unit === undefined ? '' : ` ${unit}`}`
}

function unknownFieldsText({ keys, inst }: IssueOf<'unrecognized_keys'>): string {
  const known = Object.keys((inst as z.core.$ZodObject | undefined)?._zod.def.shape ?? {})
  const fields = `has ${keys.length === 1 ? 'an unknown field' : 'unknown fields'}: ${listUnknownNames(keys, known)}`
  return known.length === 0 ? fields : `${fields}; known fields: ${known.map(quoted).join(', ')}`
}
