import type { FastifyInstance } from 'fastify'

/**
 * Accepts an empty body that is declared as JSON: many clients send the content type with every request.
 * Routes that need a body reject its absence with their schema.
 */
export function acceptEmptyJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined)
    else parse(request, body, done)
  })
}
