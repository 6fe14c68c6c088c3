import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { IdParams } from '../parameters.ts'
import { HttpError, problemResponses } from '../problem.ts'
import { sendDocument } from '../send-document.ts'
import type { Services } from '../services.ts'
import { NewRule } from './rule.ts'
import { RuleView, ruleListing, ruleView } from './view.ts'

/** Manages the rules that convert pushed images. */
export function ruleRoutes(rules: Services['rules']): FastifyPluginAsyncZod {
  const tags = ['registry events']
  return async (app) => {
    app.post(
      '/v1/rules',
      {
        schema: {
          tags,
          operationId: 'createRule',
          summary: 'Create a rule that converts pushed images',
          description: 'The rule applies to pushes from now on.',
          body: NewRule,
          response: { 201: RuleView, ...problemResponses(400, 409, 422, 503, 507) },
        },
      },
      async (request, reply) => {
        const rule = await rules.create(request.body)
        reply.header('location', `/v1/rules/${rule.id}`)
        return reply.code(201).send(ruleView(rule))
      },
    )
    app.get(
      '/v1/rules',
      {
        schema: {
          tags,
          operationId: 'listRules',
          summary: 'List the rules',
          description: 'Shows all rules with their settings.',
          response: { 200: z.object({ items: z.array(RuleView) }), ...problemResponses(503) },
        },
      },
      async (_request, reply) => {
        const versions = await rules.listVersions()
        return sendDocument(reply, 'application/json', ruleListing(versions, rules))
      },
    )
    app.get(
      '/v1/rules/:id',
      {
        schema: {
          tags,
          operationId: 'getRule',
          summary: 'Show a rule',
          description: 'Shows all settings of the rule.',
          params: IdParams,
          response: { 200: RuleView, ...problemResponses(400, 404, 503) },
        },
      },
      async (request) => {
        const rule = await rules.get(request.params.id)
        if (!rule) throw ruleNotFound(request.params.id)
        return ruleView(rule)
      },
    )
    app.put(
      '/v1/rules/:id',
      {
        schema: {
          tags,
          operationId: 'replaceRule',
          summary: 'Replace a rule',
          description:
            'Replaces all settings: fields that the request omits get their defaults. The rule applies to pushes from now on.',
          params: IdParams,
          body: NewRule,
          response: { 200: RuleView, ...problemResponses(400, 404, 503, 507) },
        },
      },
      async (request) => {
        const rule = await rules.replace(request.params.id, request.body)
        if (!rule) throw ruleNotFound(request.params.id)
        return ruleView(rule)
      },
    )
    app.delete(
      '/v1/rules/:id',
      {
        schema: {
          tags,
          operationId: 'deleteRule',
          summary: 'Delete a rule',
          description: 'Conversions that the rule has started are not affected.',
          params: IdParams,
          response: {
            204: z.null().describe('The rule was deleted.'),
            ...problemResponses(400, 404, 503, 507),
          },
        },
      },
      async (request, reply) => {
        if (!(await rules.remove(request.params.id))) throw ruleNotFound(request.params.id)
        return reply.code(204).send(null)
      },
    )
  }
}

function ruleNotFound(id: string): HttpError {
  return new HttpError(404, 'NOT_FOUND', `rule ${id} does not exist`)
}
