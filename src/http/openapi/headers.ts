import {
  isApi,
  isStream,
  type Json,
  type OpenApiDocument,
  operationsOf,
  type PlacedOperation,
} from './document.ts'

type Header = {
  readonly description: string
  readonly schema: Json
  readonly example: unknown
}
type RequestHeader = Header & { readonly isReadBy: (operation: PlacedOperation) => boolean }
type ResponseHeader = Header & {
  /** Whether every response has the header. */
  readonly required?: boolean
  /** Whether the header can be part of a successful response. */
  readonly isSentBy: (operation: PlacedOperation, status: number) => boolean
  /** The statuses of problems that can have the header. */
  readonly isSentWith: (status: number) => boolean
}

/** The operations that wait as `Prefer` requests (`jobs/prefer-wait.ts`). */
const WAITS = /^(create|get|cancel|retry)(Conversion|Verification)$/
/** The operations that name what they created or found. */
const LOCATES =
  /^(uploadRecord|mergeRecords|retargetRecord|createRule|createBatch|createToken|rotateToken|((create|retry)(Conversion|Verification)))$/
/** Responses with these statuses are not stored under an idempotency key (`idempotency/replay.ts`). */
const UNSTORED = new Set([401, 405, 408, 421, 429])
const UUID = '6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11'

const isPost = (placed: PlacedOperation) => placed.method === 'post' && isApi(placed)
/** Whether responses have an `ETag`. */
export const isComparable = (placed: PlacedOperation) =>
  placed.method === 'get' && isApi(placed) && !isStream(placed)
/** Whether a credential is needed, which belongs to a project. */
const isGuarded = (placed: PlacedOperation) => isApi(placed) && placed.operation.security?.length !== 0
const waits = ({ operation }: PlacedOperation) => WAITS.test(operation.operationId ?? '')
const never = () => false
/** Requests that are refused before their caller is known do not count. */
const isLimited = (status: number) => ![401, 421].includes(status)

/** The request headers that hooks read, for all operations. Those of one route are part of its schema. */
const REQUEST_HEADERS: Readonly<Record<string, RequestHeader>> = {
  'Idempotency-Key': {
    description:
      'The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.',
    schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' },
    example: UUID,
    isReadBy: isPost,
  },
  Prefer: {
    description:
      '`wait=SECONDS`, up to 60: the response waits until the job has finished, or for that time (RFC 7240).',
    schema: { type: 'string' },
    example: 'wait=30',
    isReadBy: waits,
  },
  'If-None-Match': {
    description: 'The `ETag` of a response that the client has. If it is still current, the response is 304.',
    schema: { type: 'string' },
    example: 'W/"x1qJ"',
    isReadBy: isComparable,
  },
  'Record-Broker-Project': {
    description:
      'The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.',
    schema: { type: 'string', pattern: '^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$' },
    example: 'team-a',
    isReadBy: isGuarded,
  },
  'X-Request-Id': {
    description:
      'An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.',
    schema: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._:=+/@-]{0,127}$' },
    example: UUID,
    isReadBy: () => true,
  },
}

/** The response headers that hooks and routes set. */
const RESPONSE_HEADERS: Readonly<Record<string, ResponseHeader>> = {
  'X-Request-Id': {
    description: 'The id of the request, as in the log lines about it.',
    schema: { type: 'string' },
    example: UUID,
    required: true,
    isSentBy: () => true,
    isSentWith: () => true,
  },
  Location: {
    description: 'The path of what the request created or found.',
    schema: { type: 'string', format: 'uri-reference' },
    example: '/v1/conversions/019ab1c2-7a30-7000-8000-4b1c2d3e4f50',
    required: true,
    isSentBy: ({ operation }) => LOCATES.test(operation.operationId ?? ''),
    isSentWith: never,
  },
  'Idempotency-Replayed': {
    description: 'The response repeats that of an earlier request with the same `Idempotency-Key`.',
    schema: { type: 'string', enum: ['true'] },
    example: 'true',
    isSentBy: isPost,
    isSentWith: (status) => status < 500 && !UNSTORED.has(status),
  },
  'Preference-Applied': {
    description: 'The preference that the broker followed, with the time it was ready to wait.',
    schema: { type: 'string' },
    example: 'wait=30',
    isSentBy: waits,
    isSentWith: never,
  },
  ETag: {
    description: 'The version of the response, for `If-None-Match`. Long documents have none.',
    schema: { type: 'string' },
    example: 'W/"x1qJ"',
    isSentBy: (placed, status) => isComparable(placed) && status === 200,
    isSentWith: never,
  },
  'Cache-Control': {
    description: 'How long a cache of the caller may use the response. What a digest names never changes.',
    schema: { type: 'string' },
    example: 'private, no-cache',
    isSentBy: isApi,
    isSentWith: () => true,
  },
  'Retry-After': {
    description:
      'The number of seconds to wait before the request is sent again. 409 has it while a request with the same `Idempotency-Key` is in progress.',
    schema: { type: 'integer', minimum: 0 },
    example: 5,
    isSentBy: never,
    isSentWith: (status) => [409, 429, 503, 507].includes(status),
  },
  'RateLimit-Limit': {
    description: 'The requests per minute that the caller may send. Missing if it has no limit.',
    schema: { type: 'integer', minimum: 1 },
    example: 6000,
    isSentBy: isApi,
    isSentWith: isLimited,
  },
  'RateLimit-Remaining': {
    description: 'How many of these requests are left.',
    schema: { type: 'integer', minimum: 0 },
    example: 5999,
    isSentBy: isApi,
    isSentWith: isLimited,
  },
  'RateLimit-Reset': {
    description: 'The number of seconds until the caller may send as many again.',
    schema: { type: 'integer', minimum: 0 },
    example: 60,
    isSentBy: isApi,
    isSentWith: isLimited,
  },
  Allow: {
    description: 'The methods of the path.',
    schema: { type: 'string' },
    example: 'GET, HEAD',
    required: true,
    isSentBy: never,
    isSentWith: (status) => status === 405,
  },
  'WWW-Authenticate': {
    description: 'How to send the token.',
    schema: { type: 'string' },
    example: 'Bearer',
    isSentBy: never,
    isSentWith: (status) => status === 401,
  },
  'Accept-Encoding': {
    description: 'The content encodings that records may have, if that of the request is not one of them.',
    schema: { type: 'string' },
    example: 'gzip, deflate, br, zstd',
    isSentBy: never,
    isSentWith: (status) => status === 415,
  },
}

/** Returns the headers of a response to an operation, as references. */
function successHeaders(placed: PlacedOperation, status: number): Json {
  return references((header) => header.isSentBy(placed, status))
}

/** Returns the headers of a problem, as references. */
export function problemHeaders(status: number): Json {
  return references((header) => header.isSentWith(status))
}

function references(isIncluded: (header: ResponseHeader) => boolean): Json {
  return Object.fromEntries(
    Object.entries(RESPONSE_HEADERS)
      .filter(([, header]) => isIncluded(header))
      .map(([name]) => headerReference(name)),
  )
}

/** Returns the name of a header with a reference to its description. */
export function headerReference(name: string): [name: string, reference: Json] {
  return [name, { $ref: `#/components/headers/${name}` }]
}

/** Adds the headers to the components of a document, and to its operations those that they read. */
export function addHeaders(document: OpenApiDocument): OpenApiDocument {
  for (const placed of operationsOf(document)) {
    const names = Object.keys(REQUEST_HEADERS).filter((name) => REQUEST_HEADERS[name]?.isReadBy(placed))
    const parameters = names.map((name) => ({ $ref: `#/components/parameters/${name}` }))
    placed.operation.parameters = [...(placed.operation.parameters ?? []), ...parameters]
    for (const [status, response] of Object.entries(placed.operation.responses)) {
      if (response.$ref !== undefined || Number(status) >= 400) continue
      response.headers = { ...response.headers, ...successHeaders(placed, Number(status)) }
    }
  }
  const headers = Object.entries(RESPONSE_HEADERS).map(
    ([name, { description, schema, example, required }]) => [
      name,
      { description, schema, example, ...(required && { required }) },
    ],
  )
  const parameters = Object.entries(REQUEST_HEADERS).map(([name, { description, schema, example }]) => [
    name,
    { name, in: 'header', description, schema, example },
  ])
  const components = {
    ...document.components,
    parameters: Object.fromEntries(parameters),
    headers: Object.fromEntries(headers),
  }
  return { ...document, components }
}
