import type { FastifySchemaCompiler } from 'fastify'
import type { z } from 'zod'
import { issueText } from './issue-text.ts'

/** The most invalid fields that an error names. */
const MAX_INVALID_FIELDS = 100

/** A field of a part of a request, and why it is invalid. The path is relative to the part. */
type InvalidField = { readonly path: readonly PropertyKey[]; readonly message: string }

/** A part of a request that does not match its schema. */
export class InvalidRequestError extends Error {
  override readonly name = 'InvalidRequestError'
  readonly fields: readonly InvalidField[]
  /** The part of the request. Fastify sets it. */
  readonly validationContext?: 'body' | 'headers' | 'params' | 'querystring'

  constructor(fields: readonly InvalidField[]) {
    super('the request is invalid')
    this.fields = fields
  }
}

/** Validates parts of requests by zod schemas. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  return (data: unknown) => {
    if (httpPart === 'body' && (data === undefined || data === null)) return { error: missingBody() }
    const { data: value, error } = schema.safeParse(data, { error: issueText })
    if (!error) return { value }
    const fields = error.issues.flatMap((issue) => invalidFields(issue))
    return { error: new InvalidRequestError(fields.slice(0, MAX_INVALID_FIELDS)) }
  }
}

function missingBody(): InvalidRequestError {
  return new InvalidRequestError([{ path: [], message: 'is required; send a JSON object' }])
}

/**
 * Returns the invalid fields of an issue. If a value fits one alternative of a union except for some of its
 * fields, these are the invalid fields.
 */
function invalidFields(issue: z.core.$ZodIssue): InvalidField[] {
  if (issue.code === 'invalid_union') {
    const [fitting, ...others] = issue.errors.filter((issues) => !issues.some(isOtherAlternative))
    if (fitting && others.length === 0) {
      return fitting
        .flatMap((inner) => invalidFields(inner))
        .map(({ path, message }) => ({ path: [...issue.path, ...path], message }))
    }
  }
  return [{ path: issue.path, message: issue.message }]
}

/** Whether the value as a whole does not belong to the alternative: another type, or fields of another. */
function isOtherAlternative({ code, path }: z.core.$ZodIssue): boolean {
  return path.length === 0 && (code === 'invalid_type' || code === 'unrecognized_keys')
}
