import { DEFAULT_JSON_BOUNDS, passedJsonBound } from '../../oci/json-bounds.ts'
import { RegistryError } from '../errors.ts'

/** Bounds on what registries answer. Passing one raises a RegistryError with the code LIMIT_EXCEEDED. */
export type ResponseBounds = {
  /** Objects and arrays inside each other in a manifest, a config or a list. */
  readonly maxJsonDepth: number
  /** Pages of one list of tags, referrers or repositories. */
  readonly maxPages: number
  /** Bytes of all pages of one list. */
  readonly maxListBytes: number
}

export const DEFAULT_BOUNDS: ResponseBounds = {
  maxJsonDepth: DEFAULT_JSON_BOUNDS.maxDepth,
  maxPages: 2_000,
  maxListBytes: 64 * 2 ** 20,
}

/** The settings that raise a bound. */
export const BOUND_SETTINGS = {
  maxJsonDepth: 'RECORD_BROKER_MAX_JSON_DEPTH',
  maxPages: 'RECORD_BROKER_MAX_PAGES',
  maxListBytes: 'RECORD_BROKER_MAX_LIST_BYTES',
} as const satisfies Record<keyof ResponseBounds, string>

type Place = { readonly operation: string; readonly host: string }

/** The error for an answer that passes a bound. @param what such as "answered with a document that is too deep" */
export function boundExceeded(
  bounds: ResponseBounds,
  name: keyof ResponseBounds,
  what: string,
  { operation, host }: Place,
): RegistryError {
  const why = `${what}: ${BOUND_SETTINGS[name]} allows ${bounds[name]}`
  return new RegistryError('LIMIT_EXCEEDED', { operation, host, why })
}

/** Checks a JSON document of a registry before anybody parses it. @throws RegistryError LIMIT_EXCEEDED, INVALID_RESPONSE */
export function checkJson(bytes: Uint8Array, bounds: ResponseBounds, place: Place): void {
  const { maxValues } = DEFAULT_JSON_BOUNDS
  const passed = passedJsonBound(bytes, { maxDepth: bounds.maxJsonDepth, maxValues })
  if (passed === undefined) return
  if (passed === 'maxDepth') {
    throw boundExceeded(bounds, 'maxJsonDepth', 'answered with a document that is nested too deep', place)
  }
  const why = `answered with a document of more than ${maxValues} values`
  throw new RegistryError('INVALID_RESPONSE', { ...place, why })
}
