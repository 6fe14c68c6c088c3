/** The parts of an OpenAPI 3.1 document that this folder reads and writes. */
export type Json = { [key: string]: unknown }

export type OpenApiDocument = {
  paths: Record<string, Record<string, Operation>>
  components: Json & { schemas: Record<string, unknown> }
  webhooks?: Json
}

export type Operation = {
  operationId?: string
  parameters?: (Json & { name?: string; in?: string })[]
  requestBody?: Json
  responses: Record<string, ResponseObject>
  security?: unknown[]
}

export type ResponseObject = {
  $ref?: string
  description?: string
  headers?: Json
  content?: Record<string, Json>
}

/** An operation with its place in the document. */
export type PlacedOperation = {
  readonly method: string
  readonly path: string
  readonly operation: Operation
}

export function operationsOf({ paths }: OpenApiDocument): PlacedOperation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  )
}

/** Whether the operation belongs to the API proper: hooks and limits of `/v1/` apply to it. */
export function isApi({ path }: PlacedOperation): boolean {
  return path.startsWith('/v1/')
}

/** Whether the operation sends events for as long as they occur. */
export function isStream({ operation }: PlacedOperation): boolean {
  return operation.responses[200]?.content?.['text/event-stream'] !== undefined
}
