import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { RuleStore, RuleVersion, StoredRule } from '../../jobs/rules.ts'
import { sendDocument } from '../document.ts'
import { Pace } from '../pace.ts'
import { Id, isoTime, Moment } from '../parameters.ts'
import { HttpError, problems } from '../problem.ts'
import type { Services } from '../services.ts'
import { NewRule, Rule } from './rule.ts'

const RuleView = z
  .object({ id: z.string(), updatedAt: Moment, rule: Rule })
  .meta({ id: 'StoredRule', description: 'A rule that is kept.' })

function view({ id, document, updatedAt }: StoredRule): z.output<typeof RuleView> {
  return { id, updatedAt: isoTime(updatedAt), rule: Rule.parse(document) }
}

function noRule(id: string): HttpError {
  return new HttpError(404, 'NOT_FOUND', `there is no rule ${id}`)
}

/** As it is used. What an earlier version stored, and is no rule any more, is shown as it stands. */
function shown(stored: StoredRule) {
  const { success, data } = Rule.safeParse(stored.document)
  return { id: stored.id, updatedAt: isoTime(stored.updatedAt), rule: success ? data : stored.document }
}

/** The rules one by one: together their documents may be long. */
async function* listing(versions: readonly RuleVersion[], rules: RuleStore): AsyncGenerator<Buffer> {
  const pace = new Pace()
  let before = '{"items":['
  for (const { id } of versions) {
    await pace.breathe()
    const rule = await rules.get(id)
    if (!rule) continue
    yield Buffer.from(`${before}${JSON.stringify(shown(rule))}`)
    before = ','
  }
  yield Buffer.from(before === ',' ? ']}' : `${before}]}`)
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
      async (_request, reply) => {
        const versions = await rules.versions()
        return sendDocument(reply, 'application/json', listing(versions, rules))
      },
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
