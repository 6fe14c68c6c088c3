import { type SpanNotes, traced } from '../tracing/spans.ts'
import type { RequestContext } from './errors.ts'

/**
 * Runs a request with its retries as one span. Its name is the operation without names and digests, of which
 * there are too many. It contains no query and no header.
 */
export function withRequestSpan<Result>(
  { operation, host, method }: RequestContext & { readonly method: string },
  work: (span: SpanNotes) => Promise<Result>,
): Promise<Result> {
  const attributes = {
    'server.address': host,
    'http.request.method': method,
    'record_broker.registry.operation': operation,
  }
  return traced(`registry: ${operationKind(operation)}`, { kind: 'client', attributes }, work)
}

/** The words of an operation that are the same for all repositories, such as "read manifest". */
export function operationKind(operation: string): string {
  const [start = operation] = operation.split(/ (?:of|to|in|for|under) /, 1)
  return start.replace(/^(\w+ (?:manifest|blob)) .*$/, '$1')
}
