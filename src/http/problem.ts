import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { ClientGoneError } from './connection/errors.ts'
import { httpStatusOf } from './error-status.ts'
import { OverloadedError } from './limits/errors.ts'
import { fieldText } from './validation/field-text.ts'
import { InvalidRequestError } from './validation/validate-request.ts'

export const PROBLEM_TYPE = 'application/problem+json'

/** A problem document (RFC 9457), with a `code` for programs. */
export const Problem = z
  .object({
    type: z.string().describe('Always `about:blank`. Use `code` to distinguish kinds of problems.'),
    title: z.string().describe('The name of the HTTP status.'),
    status: z.int().describe('The HTTP status.'),
    detail: z.string().optional().describe('What went wrong, where, and how to fix it.'),
    code: z.string().describe('A code for programs.'),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .describe('The invalid fields, each with a reason.'),
    line: z.int().optional().describe('The line of the uploaded record, counted from 1.'),
    recordId: z
      .string()
      .optional()
      .describe('The id of the record, if it was stored but publishing it failed.'),
    requestId: z
      .string()
      .optional()
      .describe("The id of the request, as in the header `X-Request-Id`; the broker's log lines contain it."),
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
        requestId: '6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11',
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
  return new HttpError(status, code, `${fieldText(path)}: ${message}`, { errors: [{ path, message }] })
}

/** Statuses with which the same request may succeed later, and the time to wait if the error names none. */
const TEMPORARY_STATUSES = [503, 507]
const RETRY_AFTER_S = 5

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
  // An overload has a line of its own, and many requests.
  if (problem.status >= 500 && !(error instanceof OverloadedError)) {
    request.log.error({ err: error }, problem.title)
  }
  const { retryAfterMs } = error as ErrorProperties
  if (typeof retryAfterMs === 'number') {
    reply.header('retry-after', String(Math.ceil(retryAfterMs / 1000)))
  } else if (TEMPORARY_STATUSES.includes(problem.status)) {
    reply.header('retry-after', String(RETRY_AFTER_S))
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
  reply.request.failureCode = problem.code
  return (
    reply
      .code(problem.status)
      .type(PROBLEM_TYPE)
      // Set for a response that was to be sent instead.
      .removeHeader('content-encoding')
      .removeHeader('etag')
      .serializer((value: unknown) => JSON.stringify(value))
      .send({ ...problem, requestId: reply.request.id })
  )
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
  if (error instanceof InvalidRequestError) return validationProblem(error)
  const { code, line, statusCode } = error as ErrorProperties
  const status = httpStatusOf(code)
  if (status !== undefined) {
    return problem(status, String(code), error.message, typeof line === 'number' ? { line } : {})
  }
  if (code === 'FST_ERR_CTP_INVALID_JSON_BODY') {
    return problemOf(fieldError(400, 'INVALID_REQUEST', 'body', 'is not JSON'))
  }
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    const message = fastifyErrorMessage(error, bodyLimit)
    return problem(statusCode, FASTIFY_ERROR_CODES[statusCode] ?? 'BAD_REQUEST', message)
  }
  return problem(500, 'INTERNAL', "an internal error occurred; see the broker's log")
}

function validationProblem({ validationContext: part = 'body', fields }: InvalidRequestError): Problem {
  const errors = fields.map(({ path, message }) => ({ path: [part, ...path.map(String)].join('.'), message }))
  if (errors.some(({ path }) => path === 'querystring.cursor')) {
    const message = 'expected the value of `next` in a page of this listing'
    return problem(400, 'INVALID_CURSOR', `query parameter cursor: ${message}`, { errors })
  }
  const detail = errors.map(({ path, message }) => `${fieldText(path)}: ${message}`).join('; ')
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

/** What the statuses of problems mean. */
export const PROBLEM_DESCRIPTIONS: Readonly<Record<number, string>> = {
  400: 'The request is invalid. `errors` or `line` shows where.',
  401: 'The credential is missing or wrong, has expired or was revoked.',
  403: 'The credential lacks a scope or may not use a repository, or the broker may not contact the registry or callback address that the request names, or does not accept requests from the page that sent it.',
  404: 'The resource does not exist.',
  405: 'The path does not have this method. `Allow` lists those that it has.',
  408: 'The request body arrived too slowly.',
  409: 'The request conflicts with the current state of the resource.',
  413: 'The request body is larger than the broker accepts.',
  415: 'The broker does not accept the content type or content encoding.',
  421: 'Requests for this host need a token.',
  422: 'The request is well formed, but the broker cannot process it.',
  429: 'The caller sent more requests, or wrong credentials, than it may, or its project has used up a quota. Retry after `Retry-After`.',
  431: 'The request line, its query included, and the headers are larger than 16 KiB.',
  502: 'A registry failed or returned an invalid response.',
  503: 'The broker, its database or a registry is temporarily unavailable. Retry after `Retry-After`.',
  504: 'The request took longer than the broker allows.',
  507: "The broker's disk is full; requests succeed again once space is free. Retry after `Retry-After`.",
}

/** Returns the problem responses of a route's schema; 400 and 401 are always included. */
export function problemResponses(...statuses: number[]) {
  return Object.fromEntries(
    [400, 401, ...statuses].map((status) => [
      status,
      {
        description: PROBLEM_DESCRIPTIONS[status] ?? 'An error.',
        content: { [PROBLEM_TYPE]: { schema: Problem } },
      },
    ]),
  )
}
