import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { CHECKOUT, type Document, type Excerpt } from './read-documents.ts'

const METHODS = ['get', 'put', 'post', 'delete'] as const

/** Routes that are not in the OpenAPI document: those of other APIs, and those for people and programs. */
const OTHER_ROUTES: ReadonlySet<string> = new Set([
  '/openapi.json',
  '/docs',
  '/metrics',
  '/v2/',
  '/api/v1/conversions',
  '/api/v1/health',
])

/** Ids in documented paths. */
const PLACEHOLDERS = /\bID\b|\{\w+\}|:id\b/g

/** What documents name like a route but that belongs to other programs. */
const FOREIGN_ROUTES: ReadonlySet<string> = new Set(['/v1/traces'])

/** An operation of the OpenAPI document. */
type Operation = { readonly responses: Readonly<Record<string, unknown>> }

const { paths } = JSON.parse(readFileSync(`${CHECKOUT}openapi/openapi.json`, 'utf8')) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/** The paths of the OpenAPI document, those with fewer parameters first, and what each matches. */
const PATTERNS = Object.keys(paths)
  .sort((a, b) => a.split('{').length - b.split('{').length)
  .map((path) => {
    const pattern = path.replaceAll('{reference}', '.+').replaceAll(/\{[^}]+\}/g, '[^/]+')
    return { path, pattern: new RegExp(`^${pattern}$`) }
  })

/** A request that a document names, with placeholders in its path. */
export type DocumentedRequest = Excerpt & { readonly method: string; readonly path: string }

/** Returns the path of the OpenAPI document that a documented path means. */
export function templateOf(path: string): string | undefined {
  const [address = ''] = path.split('?')
  return PATTERNS.find(({ pattern }) => pattern.test(address))?.path
}

/** Returns an operation of the OpenAPI document. */
export function operationOf({ method, path }: DocumentedRequest): Operation | undefined {
  return paths[templateOf(path) ?? '']?.[method.toLowerCase()]
}

/** Whether a route exists that the OpenAPI document does not describe. */
export function isOtherRoute(path: string): boolean {
  return OTHER_ROUTES.has(path.split('?')[0] ?? '')
}

/**
 * Returns the requests that a document names as `GET /v1/records`, or by the path alone, which means every method
 * of it. `/cancel` and `POST …/cancel` go on from the path that was named last, or from the one above it.
 */
export function requestsOf({ spans }: Document): DocumentedRequest[] {
  let last = ''
  return spans.flatMap(({ where, text }) => {
    const [, method, named = ''] = /^(?:(GET|HEAD|POST|PUT|PATCH|DELETE) )?…?(\/[^…*\s]*)$/.exec(text) ?? []
    if (named === '' || FOREIGN_ROUTES.has(named)) return []
    const path = [`${last}${named}`, `${posix.dirname(last)}${named}`].find(isDescribed) ?? named
    if (/^\/v1\/./.test(named)) last = named.split('?')[0] ?? ''
    else if (path === named && method === undefined && !isOtherRoute(path) && !isDescribed(path)) return []
    const operations = paths[templateOf(path) ?? ''] ?? { get: {} }
    const methods = method === undefined ? METHODS.filter((name) => name in operations) : [method]
    return methods.map((name) => ({ where, text, method: name.toUpperCase(), path }))
  })
}

/** Whether the OpenAPI document has a path, whatever its parameters are called. */
function isDescribed(path: string): boolean {
  return path.replaceAll(PLACEHOLDERS, '{id}') in paths
}
