import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ClientGone } from './connection/errors.ts'
import { statusOf } from './error-status.ts'

export const PROBLEM_TYPE = 'application/problem+json'

/** A problem document (RFC 9457), with a `code` for programs. */
export const Problem = z
  .object({
    type: z.string().describe('Always about:blank: `code` tells the kinds apart.'),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional().describe('What was wrong, where, and what to do about it.'),
    code: z.string().describe('For programs; does not change between versions.'),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .describe('The fields that are wrong, each with its reason.'),
    line: z.int().optional().describe('Of an uploaded record, from 1.'),
    recordId: z.string().optional().describe('The record that was stored although publishing it failed.'),
  })
  .meta({
    id: 'Problem',
    description: 'What was wrong with a request (RFC 9457).',
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

/** A refused request, for routes to throw. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly code: string
  readonly status: number
  readonly more: Partial<Pick<Problem, 'errors' | 'recordId'>>
  constructor(status: number, code: string, message: string, more: HttpError['more'] = {}) {
    super(message)
    this.status = status
    this.code = code
    this.more = more
  }
}

/** The answer to an id that no record has. */
export function recordNotFound(id: string): HttpError {
  return new HttpError(404, 'RECORD_NOT_FOUND', `there is no record ${id}`)
}

/** The error about one field of a request. */
export function fieldError(status: number, code: string, path: string, message: string): HttpError {
  return new HttpError(status, code, `${path}: ${message}`, { errors: [{ path, message }] })
}

type Coded = { code?: unknown; line?: unknown; retryAfterMs?: unknown; statusCode?: unknown }

/** Turns every error of a route into a problem document. What is a defect is logged, and not shown. */
export function sendError(
  error: FastifyError | Error,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const problem = problemOf(brokenOff(error, request) ?? error, request.routeOptions.bodyLimit)
  if (problem.status >= 500) request.log.error({ err: error }, problem.title)
  const { retryAfterMs } = error as Coded
  if (typeof retryAfterMs === 'number') {
    reply.header('retry-after', String(Math.ceil(retryAfterMs / 1000)))
  }
  return sendProblem(reply, problem)
}

/** The error for a body that its sender broke off, which is no failure here. */
function brokenOff(error: Error, { raw }: FastifyRequest): ClientGone | undefined {
  const isReset = (error as NodeJS.ErrnoException).code === 'ECONNRESET'
  return isReset && !raw.complete ? new ClientGone() : undefined
}

/** Sends a problem document, whatever the route's schemas say. */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.status)
    .type(PROBLEM_TYPE)
    .serializer((value: unknown) => JSON.stringify(value))
    .send(problem)
}

/** What the server's own refusals are called. */
const CODES: Readonly<Record<number, string>> = { 413: 'TOO_LARGE', 415: 'UNSUPPORTED_TYPE' }

function messageOf({ message, ...error }: Error & { code?: unknown }, bodyLimit: number | undefined): string {
  if (error.code !== 'FST_ERR_CTP_BODY_TOO_LARGE' || bodyLimit === undefined) return message
  return `the body is larger than ${bodyLimit} bytes; RECORD_BROKER_MAX_BODY_BYTES allows no more`
}

/**
 * The problem document for an error.
 * @param bodyLimit of the route, in bytes
 */
export function problemOf(error: Error, bodyLimit?: number): Problem {
  if (error instanceof HttpError) return problem(error.status, error.code, error.message, error.more)
  if (hasZodFastifySchemaValidationErrors(error)) return validationProblem(error)
  const { code, line, statusCode } = error as Coded
  const known = statusOf(code)
  if (known !== undefined) {
    return problem(known, String(code), error.message, typeof line === 'number' ? { line } : {})
  }
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return problem(statusCode, CODES[statusCode] ?? 'BAD_REQUEST', messageOf(error, bodyLimit))
  }
  return problem(500, 'INTERNAL', 'something went wrong here; the log of the broker says what')
}

function validationProblem(error: FastifyError & { validation: readonly unknown[] }): Problem {
  const part = error.validationContext ?? 'request'
  const errors = (error.validation as { instancePath?: string; message?: string }[]).map((issue) => ({
    path: [part, ...(issue.instancePath ?? '').split('/').filter(Boolean)].join('.'),
    message: issue.message ?? 'is wrong',
  }))
  const detail = errors.map(({ path, message }) => `${path}: ${message}`).join('; ')
  return problem(400, 'INVALID_REQUEST', detail, { errors })
}

export function problem(status: number, code: string, detail: string, more: Partial<Problem> = {}): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, code, ...more }
}

const MEANINGS: Readonly<Record<number, string>> = {
  400: 'The request is not what it should be; `errors` or `line` say where.',
  401: 'The token is missing or wrong.',
  403: 'The registry of a reference is none that this broker may speak to.',
  404: 'There is no such thing.',
  409: 'It conflicts with what is there.',
  413: 'It is larger than this broker takes.',
  415: 'The content type is not one of those that are taken.',
  422: 'It is well formed, and cannot be done.',
  502: 'A registry did not do its part.',
  507: 'There is no room on a disk; it goes on by itself when there is. See Retry-After.',
  504: 'It took longer than this broker works on an answer.',
  503: 'The broker, its database or a registry asks to come back later; see Retry-After.',
}

/** Problem responses for a route's schema; 401 is always among them. */
export function problems(...statuses: number[]) {
  return Object.fromEntries(
    [401, ...statuses].map((status) => [
      status,
      { description: MEANINGS[status] ?? 'An error.', content: { [PROBLEM_TYPE]: { schema: Problem } } },
    ]),
  )
}
