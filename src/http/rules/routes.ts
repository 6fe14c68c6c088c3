import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Caller } from '../../access/caller.ts'
import { listedScope, ProjectQuery } from '../access/listed-project.ts'
import { requires } from '../access/security.ts'
import { IdParams } from '../parameters.ts'
import { HttpError, problemResponses } from '../problem.ts'
import { sendDocument } from '../send-document.ts'
import type { Services } from '../services.ts'
import { assertGlobLength } from './glob-length.ts'
import { NewRule, type Rule } from './rule.ts'
import { assertRuleAllowed } from './rule-access.ts'
import { RuleView, ruleListing, ruleView } from './view.ts'

/** Manages the rules that convert pushed images. */
export function ruleRoutes({
  rules,
  projects,
  names,
}: Pick<Services, 'rules' | 'projects' | 'names'>): FastifyPluginAsyncZod {
  const tags = ['registry events']
  const assertAllowed = async (rule: Rule, caller: Caller, project: string) => {
    assertGlobLength(rule)
    assertRuleAllowed(rule, { caller, project: await projects.get(project), names })
  }
  return async (app) => {
    app.post(
      '/v1/rules',
      {
        schema: {
          tags,
          operationId: 'createRule',
          security: requires('rules:write'),
          summary: 'Create a rule that converts pushed images',
          description:
            'The rule applies to pushes from now on. It belongs to the project of the caller, and converts images that this project may read to targets that it may write.',
          body: NewRule,
          response: { 201: RuleView, ...problemResponses(400, 403, 409, 422, 503, 507) },
        },
      },
      async (request, reply) => {
        const { caller } = request
        await assertAllowed(request.body, caller, caller.project)
        const rule = await rules.in(caller.projectScope).create(request.body)
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
          security: requires('conversions:read'),
          summary: 'List the rules',
          description: 'Shows all rules with their settings.',
          querystring: z.object(ProjectQuery),
          response: { 200: z.object({ items: z.array(RuleView) }), ...problemResponses(503) },
        },
      },
      async (request, reply) => {
        const listed = rules.in(listedScope(request.caller, request.query.project))
        const versions = await listed.listVersions()
        return sendDocument(reply, 'application/json', ruleListing(versions, listed))
      },
    )
    app.get(
      '/v1/rules/:id',
      {
        schema: {
          tags,
          operationId: 'getRule',
          security: requires('conversions:read'),
          summary: 'Show a rule',
          description: 'Shows all settings of the rule.',
          params: IdParams,
          response: { 200: RuleView, ...problemResponses(400, 404, 503) },
        },
      },
      async (request) => {
        const rule = await rules.in(request.caller.projectScope).get(request.params.id)
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
          security: requires('rules:write'),
          summary: 'Replace a rule',
          description:
            'Replaces all settings: fields that the request omits get their defaults. The rule applies to pushes from now on.',
          params: IdParams,
          body: NewRule,
          response: { 200: RuleView, ...problemResponses(400, 403, 404, 422, 503, 507) },
        },
      },
      async (request) => {
        const { caller, params, body } = request
        const visible = rules.in(caller.projectScope)
        const existing = await visible.get(params.id)
        if (!existing) throw ruleNotFound(params.id)
        await assertAllowed(body, caller, existing.project)
        const rule = await visible.replace(params.id, body)
        if (!rule) throw ruleNotFound(params.id)
        return ruleView(rule)
      },
    )
    app.delete(
      '/v1/rules/:id',
      {
        schema: {
          tags,
          operationId: 'deleteRule',
          security: requires('rules:write'),
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
        const { id } = request.params
        if (!(await rules.in(request.caller.projectScope).remove(id))) throw ruleNotFound(id)
        return reply.code(204).send(null)
      },
    )
  }
}

function ruleNotFound(id: string): HttpError {
  return new HttpError(404, 'NOT_FOUND', `rule ${id} does not exist`)
}
