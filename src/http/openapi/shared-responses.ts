import { STATUS_CODES } from 'node:http'
import { PROBLEM_DESCRIPTIONS, PROBLEM_TYPE } from '../problem.ts'
import {
  isApi,
  isStream,
  type Json,
  type OpenApiDocument,
  operationsOf,
  type PlacedOperation,
} from './document.ts'
import { headerReference, isComparable, problemHeaders } from './headers.ts'

const NOT_MODIFIED = 304

/** The statuses of problems that hooks, the database and the disk cause, whatever a route does itself. */
function sharedStatuses(placed: PlacedOperation): number[] {
  const { method, operation } = placed
  const isWrite = method !== 'get'
  const isPublic = operation.security?.length === 0
  return [
    // A host or an origin that is not trusted without a token, and methods that the path does not have.
    421,
    405,
    // A request line with its query, or headers, beyond 16 KiB.
    431,
    // A credential without the scope, and a project in the header that does not exist.
    ...(isPublic ? [] : [401, 403, 404, 429]),
    ...(isWrite ? [403] : []),
    ...(operation.requestBody ? [408, 413, 415] : []),
    ...(isApi(placed) ? [400, 503] : []),
    ...(isApi(placed) && isWrite ? [507] : []),
    ...(isApi(placed) && !isStream(placed) ? [504] : []),
    // An idempotency key that is in use, or was used with another request.
    ...(isApi(placed) && method === 'post' ? [409, 422] : []),
  ]
}

/** Moves the problem responses of all operations to the components, and adds those that all have. */
export function shareResponses(document: OpenApiDocument): OpenApiDocument {
  const used = new Set<number>()
  for (const placed of operationsOf(document)) {
    const { responses } = placed.operation
    const declared = Object.keys(responses)
      .map(Number)
      .filter((status) => isProblem(responses[status]))
    for (const status of [...declared, ...sharedStatuses(placed)]) {
      responses[status] = reference(status)
      used.add(status)
    }
    if (isComparable(placed)) responses[NOT_MODIFIED] = reference(NOT_MODIFIED)
  }
  const components = [...used]
    .sort((a, b) => a - b)
    .map((status) => [nameOf(status), problemResponse(status)])
  return {
    ...document,
    components: {
      ...document.components,
      responses: Object.fromEntries([[nameOf(NOT_MODIFIED), notModified()], ...components]),
    },
  }
}

function isProblem(response: { content?: Json } | undefined): boolean {
  return response?.content?.[PROBLEM_TYPE] !== undefined
}

function notModified(): Json {
  const headers = ['X-Request-Id', 'ETag', 'Cache-Control'].map(headerReference)
  return {
    description: 'The response with this `ETag` is still current.',
    headers: Object.fromEntries(headers),
  }
}

function problemResponse(status: number): Json {
  return {
    description: PROBLEM_DESCRIPTIONS[status] ?? STATUS_CODES[status],
    headers: problemHeaders(status),
    content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
  }
}

function reference(status: number): { $ref: string } {
  return { $ref: `#/components/responses/${nameOf(status)}` }
}

/** The name of a status without spaces, such as `NotFound`. */
function nameOf(status: number): string {
  return (STATUS_CODES[status] ?? `Status${status}`).replaceAll(/[^A-Za-z]/g, '')
}
