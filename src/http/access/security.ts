import type { Scope } from '../../access/scope.ts'

/** The `security` of a route's schema, as OpenAPI 3.1 has it: any of the alternatives suffices. */
type Security = readonly { readonly [scheme: string]: readonly string[] }[]

/** No credential is needed. */
export const PUBLIC: Security = []

/** Any credential suffices, whatever its scopes. */
export const AUTHENTICATED: Security = [{ token: [] }]

/** A credential with this scope is needed. */
export function requires(scope: Scope): Security {
  return [{ token: [scope] }]
}

/** What a route demands. A route that declares nothing demands the most: a fault never opens one. */
export type RouteAccess =
  | { readonly kind: 'public' }
  | { readonly kind: 'authenticated' }
  | { readonly kind: 'scope'; readonly scope: Scope }

/** Reads what the schema of a route demands. */
export function routeAccess(security: Security | undefined): RouteAccess {
  if (security === undefined) return { kind: 'scope', scope: 'admin' }
  const [alternative] = security
  if (alternative === undefined) return { kind: 'public' }
  const scope = alternative.token?.[0]
  return scope === undefined ? { kind: 'authenticated' } : { kind: 'scope', scope: scope as Scope }
}
