import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { StoredRule } from '../../jobs/rules.ts'
import { Id, isoTime, Moment } from '../parameters.ts'
import { HttpError, problems } from '../problem.ts'
import { NewRule, Rule } from '../pushes/rule.ts'
import type { Services } from '../services.ts'

const RuleView = z
  .object({ id: z.string(), updatedAt: Moment, rule: Rule })
  .meta({ id: 'StoredRule', description: 'A rule that is kept.' })

function view({ id, document, updatedAt }: StoredRule): z.output<typeof RuleView> {
  return { id, updatedAt: isoTime(updatedAt), rule: Rule.parse(document) }
}

function noRule(id: string): HttpError {
  return new HttpError(404, 'NOT_FOUND', `there is no rule ${id}`)
}

/** The rules about what is converted when it is pushed. */
export function ruleRoutes({ rules }: Services): FastifyPluginAsyncZod {
  const tags = ['registry events']
  return async (app) => {
    app.post(
      '/v1/rules',
      {
        schema: {
          tags,
          operationId: 'createRule',
          summary: 'Convert what is pushed',
          body: NewRule,
          response: { 201: RuleView, ...problems(400, 409, 422, 503, 507) },
        },
      },
      async (request, reply) => {
        const rule = await rules.create(request.body)
        reply.header('location', `/v1/rules/${rule.id}`)
        return reply.code(201).send(view(rule))
      },
    )
    app.get(
      '/v1/rules',
      {
        schema: {
          tags,
          operationId: 'listRules',
          summary: 'List the rules',
          response: { 200: z.object({ items: z.array(RuleView) }), ...problems(503) },
        },
      },
      async () => ({ items: (await rules.all()).map(view) }),
    )
    app.get(
      '/v1/rules/:id',
      {
        schema: {
          tags,
          operationId: 'getRule',
          summary: 'Show a rule',
          params: Id,
          response: { 200: RuleView, ...problems(400, 404, 503) },
        },
      },
      async (request) => {
        const rule = await rules.get(request.params.id)
        if (!rule) throw noRule(request.params.id)
        return view(rule)
      },
    )
    app.put(
      '/v1/rules/:id',
      {
        schema: {
          tags,
          operationId: 'replaceRule',
          summary: 'Replace a rule',
          params: Id,
          body: NewRule,
          response: { 200: RuleView, ...problems(400, 404, 503, 507) },
        },
      },
      async (request) => {
        const rule = await rules.replace(request.params.id, request.body)
        if (!rule) throw noRule(request.params.id)
        return view(rule)
      },
    )
    app.delete(
      '/v1/rules/:id',
      {
        schema: {
          tags,
          operationId: 'deleteRule',
          summary: 'Delete a rule',
          params: Id,
          response: { 204: z.null().describe('It is deleted.'), ...problems(400, 404, 503, 507) },
        },
      },
      async (request, reply) => {
        if (!(await rules.remove(request.params.id))) throw noRule(request.params.id)
        return reply.code(204).send(null)
      },
    )
  }
}
