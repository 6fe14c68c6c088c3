import type { z } from 'zod'
import { listUnknownNames, quoted } from './unknown-names.ts'

type UnionIssue = z.core.$ZodRawIssue<z.core.$ZodIssueInvalidUnion>

/** Describes a value that fits none of the alternatives of a union: which there are, and what was given. */
export function unionText({ inst, input, errors }: UnionIssue): string {
  const options = (inst as z.core.$ZodUnion | undefined)?._zod.def.options ?? []
  const shapes = options.map((option) => shapeOf(option as z.core.$ZodType))
  if (!shapes.every((shape) => shape !== undefined)) return alternativesText(errors)
  const expected = `exactly one of ${shapes.map(formText).join(', ')}`
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    return `expected an object: ${expected}`
  return `${fieldsText(Object.keys(input), shapes)}; expected ${expected}`
}

type Shape = Readonly<Record<string, z.core.$ZodType>>

function shapeOf({ _zod: { def } }: z.core.$ZodType): Shape | undefined {
  return def.type === 'object' ? (def as z.core.$ZodObjectDef).shape : undefined
}

function formText(shape: Shape): string {
  return `{${Object.keys(shape).join(', ')}}`
}

function fieldsText(given: readonly string[], shapes: readonly Shape[]): string {
  const known = [...new Set(shapes.flatMap((shape) => Object.keys(shape)))]
  const unknown = given.filter((name) => !known.includes(name))
  if (unknown.length > 0)
    return `has ${unknown.length === 1 ? 'an unknown field' : 'unknown fields'}: ${listUnknownNames(unknown, known)}`
  return given.length === 0 ? 'has no field' : `has the fields ${given.map(quoted).join(' and ')}`
}

/** Without those that differ in the type alone, unless all do. */
function alternativesText(errors: UnionIssue['errors']): string {
  const messages = errors.map((issues) => issues.map(({ message }) => message).join('; '))
  const fitting = messages.filter((_, i) => !errors[i]?.some(isWrongType))
  return [...new Set(fitting.length > 0 ? fitting : messages)].join(', or ')
}

function isWrongType({ code, path }: z.core.$ZodIssue): boolean {
  return code === 'invalid_type' && path.length === 0
}
