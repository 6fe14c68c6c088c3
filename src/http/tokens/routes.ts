import type { FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Caller } from '../../access/caller.ts'
import { ProjectNotFoundError } from '../../access/projects/errors.ts'
import { ProjectName } from '../../access/projects/project.ts'
import type { Scope } from '../../access/scope.ts'
import { type ApiToken, TOKEN_STATES, type TokenRights } from '../../access/tokens/api-token.ts'
import { requires } from '../access/security.ts'
import { IdParams, PageQuery } from '../parameters.ts'
import { HttpError, problemResponses } from '../problem.ts'
import type { Services } from '../services.ts'
import {
  assertWithinCaller,
  NewTokenBody,
  projectRequired,
  RotationBody,
  resolveLifetime,
  TokenName,
} from './new-token.ts'
import { NewTokenView, newTokenView, TokenPage, TokenView, tokenView } from './view.ts'

const TokenQuery = z.object({
  project: ProjectName.optional().describe('Only tokens of this project.'),
  name: TokenName.optional().describe('Only tokens with this name.'),
  state: z.enum(TOKEN_STATES).optional().describe('Only tokens in this state.'),
  ...PageQuery,
  cursor: z.uuid().optional().describe('The value of `next` in the previous page.'),
})

/** Creates, lists, replaces and revokes API tokens. */
export function tokenRoutes({
  tokens,
  projects,
}: Pick<Services, 'tokens' | 'projects'>): FastifyPluginAsyncZod {
  const common = { tags: ['access'], security: requires('admin') }
  const tokensOf = ({ caller }: FastifyRequest) => tokens.in(caller.projectScope)
  const assertAllowed = async (rights: TokenRights, { caller }: FastifyRequest): Promise<void> => {
    const project = await projects.read(rights.project)
    if (!project) throw new ProjectNotFoundError(rights.project)
    assertWithinCaller(rights, caller, project)
  }
  const impliedProject = async (caller: Caller, scopes: readonly Scope[]): Promise<string> => {
    const isGuess = caller.projectScope.seesAll && !scopes.includes('admin')
    if (isGuess && (await projects.isShared())) throw projectRequired()
    return caller.project
  }
  return async (app) => {
    app.post(
      '/v1/tokens',
      {
        config: { showsSecret: true },
        schema: {
          ...common,
          operationId: 'createToken',
          summary: 'Create an API token',
          description:
            'The response is the only one with the secret. A request that is sent again with the same `Idempotency-Key` is refused with 409, and names the token.',
          body: NewTokenBody,
          response: { 201: NewTokenView, ...problemResponses(400, 403, 404, 409, 422, 503, 507) },
        },
      },
      async (request, reply) => {
        const { name, scopes, read, write, lifetimeSeconds } = request.body
        const project = request.body.project ?? (await impliedProject(request.caller, scopes))
        request.concernedProject = project
        const rights = { project, scopes: [...new Set(scopes)], read, write }
        await assertAllowed(rights, request)
        const lifetimeMs = resolveLifetime(tokens.lifetimes, lifetimeSeconds)
        const createdBy = request.caller.identity.subject
        const created = await tokensOf(request).create(rights, { name, createdBy, lifetimeMs })
        reply.header('location', `/v1/tokens/${created.token.id}`)
        return reply.code(201).send(newTokenView(created))
      },
    )
    app.get(
      '/v1/tokens',
      {
        schema: {
          ...common,
          operationId: 'listTokens',
          summary: 'List API tokens, newest first',
          description: 'Tokens that have expired or were revoked are listed for 90 days more.',
          querystring: TokenQuery,
          response: { 200: TokenPage, ...problemResponses(400, 403, 503) },
        },
      },
      async (request) => {
        const { limit, cursor, ...filter } = request.query
        const { items, ...rest } = await tokensOf(request).list(filter, { limit, after: cursor })
        return { items: items.map(tokenView), ...rest }
      },
    )
    app.get(
      '/v1/tokens/:id',
      {
        schema: {
          ...common,
          operationId: 'getToken',
          summary: 'Show an API token',
          description: 'Shows everything but the secret.',
          params: IdParams,
          response: { 200: TokenView, ...problemResponses(400, 403, 404, 503) },
        },
      },
      async (request) => {
        const token = await tokensOf(request).get(request.params.id)
        if (!token) throw tokenNotFound(request.params.id)
        return tokenView(token)
      },
    )
    app.delete(
      '/v1/tokens/:id',
      {
        schema: {
          ...common,
          operationId: 'revokeToken',
          summary: 'Revoke an API token',
          description:
            'It is not accepted from now on; other replicas may accept it for five seconds more. Lists show it for 90 days.',
          params: IdParams,
          response: {
            204: z.null().describe('The token is revoked.'),
            ...problemResponses(400, 403, 404, 503, 507),
          },
        },
      },
      async (request, reply) => {
        const revoked = await tokensOf(request).revoke(request.params.id)
        if (!revoked) throw tokenNotFound(request.params.id)
        request.concernedProject = revoked.project
        return reply.code(204).send(null)
      },
    )
    app.post(
      '/v1/tokens/:id/rotation',
      {
        config: { showsSecret: true },
        schema: {
          ...common,
          operationId: 'rotateToken',
          summary: 'Replace an API token by one with the same rights',
          description: 'The former token remains valid for the time of the overlap.',
          params: IdParams,
          body: RotationBody,
          response: { 201: NewTokenView, ...problemResponses(400, 403, 404, 409, 422, 503, 507) },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        const { overlapSeconds, lifetimeSeconds } = request.body
        const former = await tokensOf(request).get(id)
        if (!former) throw tokenNotFound(id)
        request.concernedProject = former.project
        await assertAllowed(former, request)
        const resolved =
          lifetimeSeconds === undefined
            ? undefined
            : { ms: resolveLifetime(tokens.lifetimes, lifetimeSeconds) }
        const rotated = await tokensOf(request).rotate(id, {
          overlapMs: overlapSeconds * 1000,
          createdBy: request.caller.identity.subject,
          lifetimeOf: (token) => (resolved ? resolved.ms : tokens.lifetimes.resolveAgain(lifetimeOf(token))),
        })
        if (!rotated) throw tokenNotFound(id)
        reply.header('location', `/v1/tokens/${rotated.token.id}`)
        return reply.code(201).send(newTokenView(rotated))
      },
    )
  }
}

function lifetimeOf({ createdAt, expiresAt }: ApiToken): number | undefined {
  return expiresAt === undefined ? undefined : expiresAt - createdAt
}

function tokenNotFound(id: string): HttpError {
  return new HttpError(404, 'NOT_FOUND', `token ${id} does not exist`)
}
