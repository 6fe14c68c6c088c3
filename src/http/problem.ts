import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ClientGoneError } from './connection/errors.ts'
import { httpStatusOf } from './error-status.ts'

export const PROBLEM_TYPE = 'application/problem+json'

/** A problem document (RFC 9457), with a `code` for programs. */
export const Problem = z
  .object({
    type: z.string().describe('Always `about:blank`. Use `code` to distinguish kinds of problems.'),
    title: z.string().describe('The name of the HTTP status.'),
    status: z.int().describe('The HTTP status.'),
    detail: z.string().optional().describe('What went wrong, where, and how to fix it.'),
    code: z.string().describe('A code for programs. It does not change between versions.'),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .describe('The invalid fields, each with a reason.'),
    line: z.int().optional().describe('The line of the uploaded record, counted from 1.'),
    recordId: z
      .string()
      .optional()
      .describe('The id of the record, if it was stored but publishing it failed.'),
  })
  .meta({
    id: 'Problem',
    description: 'The error of a failed request (RFC 9457).',
    examples: [
      {
        type: 'about:blank',
        title: 'Bad Request',
        status: 400,
        detail: 'line 3: the path is longer than 4096 bytes',
        code: 'INVALID_RECORD',
        line: 3,
      },
    ],
  })
export type Problem = z.infer<typeof Problem>

/** An error of a route, sent as a problem document. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly code: string
  readonly status: number
  readonly extensions: Partial<Pick<Problem, 'errors' | 'recordId'>>
  constructor(status: number, code: string, message: string, extensions: HttpError['extensions'] = {}) {
    super(message)
    this.status = status
    this.code = code
    this.extensions = extensions
  }
}

/** Returns the error for a record id that does not exist. */
export function recordNotFound(id: string): HttpError {
  return new HttpError(404, 'RECORD_NOT_FOUND', `record ${id} does not exist`)
}

/** Returns the error for one field of a request. */
export function fieldError(status: number, code: string, path: string, message: string): HttpError {
  return new HttpError(status, code, `${path}: ${message}`, { errors: [{ path, message }] })
}

type ErrorProperties = { code?: unknown; line?: unknown; retryAfterMs?: unknown; statusCode?: unknown }

/**
 * Sends any error of a route as a problem document. Unexpected errors are logged and not shown to the client.
 */
export function sendError(
  error: FastifyError | Error,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const problem = problemOf(abortedUpload(error, request) ?? error, request.routeOptions.bodyLimit)
  if (problem.status >= 500) request.log.error({ err: error }, problem.title)
  const { retryAfterMs } = error as ErrorProperties
  if (typeof retryAfterMs === 'number') {
    reply.header('retry-after', String(Math.ceil(retryAfterMs / 1000)))
  }
  return sendProblem(reply, problem)
}

/** The error for a request body that its client aborted, which is not a failure of the server. */
function abortedUpload(error: Error, { raw }: FastifyRequest): ClientGoneError | undefined {
  const isReset = (error as NodeJS.ErrnoException).code === 'ECONNRESET'
  return isReset && !raw.complete ? new ClientGoneError() : undefined
}

/** Sends a problem document. The response schemas of the route do not apply. */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.status)
    .type(PROBLEM_TYPE)
    .serializer((value: unknown) => JSON.stringify(value))
    .send(problem)
}

/** The codes for errors that Fastify raises itself. */
const FASTIFY_ERROR_CODES: Readonly<Record<number, string>> = { 413: 'TOO_LARGE', 415: 'UNSUPPORTED_TYPE' }

function fastifyErrorMessage(
  { message, ...error }: Error & { code?: unknown },
  bodyLimit: number | undefined,
): string {
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return 'send the body as JSON, with the header "Content-Type: application/json"'
  }
  if (error.code !== 'FST_ERR_CTP_BODY_TOO_LARGE' || bodyLimit === undefined) return message
  return bodyTooLarge(bodyLimit)
}

/** The message for a body that is larger than `maxBytes`. */
export function bodyTooLarge(maxBytes: number): string {
  return `the body is larger than ${maxBytes} bytes; raise RECORD_BROKER_MAX_BODY_BYTES`
}

/**
 * Converts an error to a problem document.
 * @param bodyLimit the body limit of the route, in bytes
 */
export function problemOf(error: Error, bodyLimit?: number): Problem {
  if (error instanceof HttpError) return problem(error.status, error.code, error.message, error.extensions)
  if (hasZodFastifySchemaValidationErrors(error)) return validationProblem(error)
  const { code, line, statusCode } = error as ErrorProperties
  const status = httpStatusOf(code)
  if (status !== undefined) {
    return problem(status, String(code), error.message, typeof line === 'number' ? { line } : {})
  }
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    const message = fastifyErrorMessage(error, bodyLimit)
    return problem(statusCode, FASTIFY_ERROR_CODES[statusCode] ?? 'BAD_REQUEST', message)
  }
  return problem(500, 'INTERNAL', "an internal error occurred; see the broker's log")
}

function validationProblem(error: FastifyError & { validation: readonly unknown[] }): Problem {
  const part = error.validationContext ?? 'request'
  const errors = (error.validation as { instancePath?: string; message?: string }[]).map((issue) => ({
    path: [part, ...(issue.instancePath ?? '').split('/').filter(Boolean)].join('.'),
    message: issue.message ?? 'is invalid',
  }))
  const detail = errors.map(({ path, message }) => `${path}: ${message}`).join('; ')
  return problem(400, 'INVALID_REQUEST', detail, { errors })
}

export function problem(
  status: number,
  code: string,
  detail: string,
  extensions: Partial<Problem> = {},
): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, code, ...extensions }
}

const DESCRIPTIONS: Readonly<Record<number, string>> = {
  400: 'The request is invalid. `errors` or `line` shows where.',
  401: 'The token is missing or wrong.',
  403: 'The broker may not contact the registry or callback address that the request names.',
  404: 'The resource does not exist.',
  409: 'The request conflicts with the current state of the resource.',
  413: 'The request body is larger than the broker accepts.',
  415: 'The broker does not accept the content type or content encoding.',
  422: 'The request is well formed, but the broker cannot process it.',
  502: 'A registry failed or returned an invalid response.',
  503: 'The broker, its database or a registry is temporarily unavailable. Retry after `Retry-After`.',
  504: 'The request took longer than the broker allows.',
  507: "The broker's disk is full; requests succeed again once space is free. Retry after `Retry-After`.",
}

/** Returns the problem responses of a route's schema; 401 is always included. */
export function problemResponses(...statuses: number[]) {
  return Object.fromEntries(
    [401, ...statuses].map((status) => [
      status,
      { description: DESCRIPTIONS[status] ?? 'An error.', content: { [PROBLEM_TYPE]: { schema: Problem } } },
    ]),
  )
}
