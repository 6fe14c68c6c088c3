import type { FastifyInstance } from 'fastify'
import { problem, sendProblem } from './problem.ts'

/**
 * Answers requests that no route takes: 405 with the methods that an address has (RFC 9110, 15.5.6), 404 for an address
 * that there is not. Knows the routes that are registered after this.
 */
export function handleUnknownRoutes(app: FastifyInstance): void {
  const routes: { readonly address: RegExp; readonly methods: readonly string[] }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    routes.push({ address: addressOf(url), methods: [method].flat() })
  })
  app.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?')
    const allowed = new Set(routes.flatMap(({ address, methods }) => (address.test(path) ? methods : [])))
    // A handler for every method serves an address of its own kind, such as the registry's.
    if (allowed.size === 0 || allowed.has(request.method)) {
      return sendProblem(reply, problem(404, 'NO_SUCH_ROUTE', `there is no ${request.method} ${path}`))
    }
    const list = [...allowed].toSorted().join(', ')
    reply.header('allow', list)
    return sendProblem(
      reply,
      problem(405, 'METHOD_NOT_ALLOWED', `${path} takes ${list}, not ${request.method}`),
    )
  })
}

/** What a route's address looks like in a request: `:name` is one part of the path, `*` the rest. */
function addressOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part === '*') return '.*'
    return part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('/')}$`)
}
