import type { FastifyInstance } from 'fastify'
import { problem, sendProblem } from './problem.ts'

/**
 * Handles requests that match no route: 405 with the allowed methods if the path exists (RFC 9110, 15.5.6),
 * otherwise 404. Covers the routes that are registered after this call.
 */
export function handleUnknownRoutes(app: FastifyInstance): void {
  const routes: { readonly path: RegExp; readonly methods: readonly string[] }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    routes.push({ path: pathPattern(url), methods: [method].flat() })
  })
  app.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?')
    const allowed = new Set(routes.flatMap((route) => (route.path.test(path) ? route.methods : [])))
    // A route that handles every method, such as the registry's, may reject a path itself.
    if (allowed.size === 0 || allowed.has(request.method)) {
      return sendProblem(reply, problem(404, 'NO_SUCH_ROUTE', `there is no route ${request.method} ${path}`))
    }
    const methods = [...allowed].toSorted().join(', ')
    reply.header('allow', methods)
    return sendProblem(
      reply,
      problem(405, 'METHOD_NOT_ALLOWED', `${path} allows ${methods}, not ${request.method}`),
    )
  })
}

/** The paths that match a route: `:name` is one path segment, `*` the rest of the path. */
function pathPattern(url: string): RegExp {
  const segments = url.split('/').map((segment) => {
    if (segment === '*') return '.*'
    return segment.startsWith(':') ? '[^/]+' : segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  })
  return new RegExp(`^${segments.join('/')}$`)
}
