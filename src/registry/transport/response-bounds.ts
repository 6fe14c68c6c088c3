import { DEFAULT_JSON_BOUNDS, findExceededBound } from '../../oci/json-bounds.ts'
import { RegistryError, type RequestContext } from '../errors.ts'

/**
 * Bounds on registry responses. A response that exceeds one fails with the RegistryError code LIMIT_EXCEEDED.
 */
export type ResponseBounds = {
  /** Nesting depth of objects and arrays in a manifest, a config or a list. */
  readonly maxJsonDepth: number
  /** Pages of one list of tags, referrers or repositories. */
  readonly maxPages: number
  /** Bytes of all pages of one list. */
  readonly maxListBytes: number
}

export const DEFAULT_RESPONSE_BOUNDS: ResponseBounds = {
  maxJsonDepth: DEFAULT_JSON_BOUNDS.maxDepth,
  maxPages: 2_000,
  maxListBytes: 64 * 2 ** 20,
}

/** The setting of each bound. */
const BOUND_SETTINGS = {
  maxJsonDepth: 'RECORD_BROKER_MAX_JSON_DEPTH',
  maxPages: 'RECORD_BROKER_MAX_PAGES',
  maxListBytes: 'RECORD_BROKER_MAX_LIST_BYTES',
} as const satisfies Record<keyof ResponseBounds, string>

/** The error for a response that exceeds a bound. @param problem such as "responded with too long a list" */
export function boundExceeded(
  bounds: ResponseBounds,
  bound: keyof ResponseBounds,
  problem: string,
  { operation, host }: RequestContext,
): RegistryError {
  const reason = `${problem}: ${BOUND_SETTINGS[bound]} allows ${bounds[bound]}; raise it to allow more`
  return new RegistryError('LIMIT_EXCEEDED', { operation, host, reason })
}

/**
 * Checks the size and depth of JSON before it is parsed.
 * @throws RegistryError LIMIT_EXCEEDED, INVALID_RESPONSE
 */
export function assertJsonBounds(bytes: Uint8Array, bounds: ResponseBounds, context: RequestContext): void {
  const { maxValues } = DEFAULT_JSON_BOUNDS
  const exceeded = findExceededBound(bytes, { maxDepth: bounds.maxJsonDepth, maxValues })
  if (exceeded === undefined) return
  if (exceeded === 'maxDepth') {
    throw boundExceeded(bounds, 'maxJsonDepth', 'responded with JSON that is nested too deeply', context)
  }
  const { operation, host } = context
  const reason = `responded with JSON of more than ${maxValues} values`
  throw new RegistryError('INVALID_RESPONSE', { operation, host, reason })
}
