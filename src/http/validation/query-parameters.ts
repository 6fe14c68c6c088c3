import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { HttpError } from '../problem.ts'
import { fieldText } from './field-text.ts'
import { listUnknownNames } from './unknown-names.ts'

/** Routes of the API itself. Registries and their clients add parameters of their own to hooks. */
const STRICT_ROUTE = /^\/v1\/(?!hooks\/)/

/** The names of the parameters of a route, and whether they can be repeated. */
type KnownParameters = ReadonlyMap<string, boolean>

/**
 * Rejects unknown query parameters, and repetitions of those that can be given only once, on every route of
 * the API that is registered after this call.
 */
export function rejectUnknownParameters(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    if (!STRICT_ROUTE.test(route.url)) return
    const querystring = route.schema?.querystring
    const known = querystring instanceof z.ZodObject ? parametersOf(querystring) : new Map<string, boolean>()
    const reject = async (request: FastifyRequest) => assertKnown(request, known)
    route.preValidation = [route.preValidation ?? [], reject].flat()
  })
}

function parametersOf({ shape }: z.ZodObject): KnownParameters {
  return new Map(
    Object.entries(shape).map(([name, schema]) => [name, acceptsList(schema as z.core.$ZodType)]),
  )
}

function acceptsList({ _zod: { def } }: z.core.$ZodType): boolean {
  if (def.type === 'array') return true
  if (def.type === 'union') return (def as z.core.$ZodUnionDef).options.some(acceptsList)
  return 'innerType' in def && acceptsList(def.innerType as z.core.$ZodType)
}

/** @throws HttpError UNKNOWN_PARAMETER, REPEATED_PARAMETER */
function assertKnown({ query }: FastifyRequest, known: KnownParameters): void {
  const given = Object.entries(query as Record<string, unknown>)
  const unknown = given.map(([name]) => name).filter((name) => !known.has(name))
  if (unknown.length > 0) throw unknownParameters(unknown, [...known.keys()])
  const [repeated] = given.find(([name, value]) => Array.isArray(value) && !known.get(name)) ?? []
  if (repeated === undefined) return
  const path = `querystring.${repeated}`
  const message = 'is given more than once, but can be given only once'
  throw new HttpError(400, 'REPEATED_PARAMETER', `${fieldText(path)} ${message}`, {
    errors: [{ path, message }],
  })
}

function unknownParameters(unknown: readonly string[], known: readonly string[]): HttpError {
  const names = listUnknownNames(unknown, known)
  const available =
    known.length === 0
      ? 'this route has no query parameters'
      : `the query parameters of this route are ${known.toSorted().join(', ')}`
  const detail = `unknown query parameter${unknown.length === 1 ? '' : 's'} ${names}; ${available}`
  const errors = unknown.slice(0, 100).map((name) => ({ path: `querystring.${name}`, message: 'is unknown' }))
  return new HttpError(400, 'UNKNOWN_PARAMETER', detail, { errors })
}
