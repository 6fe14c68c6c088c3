import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { CALLER_KINDS, type Caller } from '../../access/caller.ts'
import type { RepositoryPatterns } from '../../access/repository-patterns.ts'
import { Scope } from '../../access/scope.ts'
import { AUTHENTICATED } from '../access/security.ts'
import { problemResponses } from '../problem.ts'

const PatternSets = z.array(z.array(z.string()))

const CallerView = z
  .object({
    kind: z
      .enum(CALLER_KINDS)
      .describe(
        'How the caller identified itself: by the token of the settings, by nothing, by an API token, by a token of an OIDC issuer, by a login, or as a registry or a process of the broker.',
      ),
    subject: z.string().describe('Who it is: the name of a token, or the `sub` of an OIDC token.'),
    issuer: z.string().optional().describe('The OIDC issuer that knows the subject.'),
    tokenId: z.string().optional().describe('The id of the API token.'),
    project: z.string().describe('The project that new records and jobs belong to.'),
    seesAllProjects: z.boolean().describe('Whether it also sees what belongs to other projects.'),
    scopes: z.array(Scope),
    read: PatternSets.describe(
      'The repositories that it may read: those that match a pattern of every list. No list is no restriction.',
    ),
    write: PatternSets.describe('The repositories that it may write, in the same way.'),
  })
  .meta({
    id: 'Caller',
    description: 'Who sends a request, and what it may do.',
    examples: [
      {
        kind: 'workload',
        subject: 'repo:octo-org/octo-repo:ref:refs/heads/main',
        issuer: 'https://token.actions.githubusercontent.com',
        project: 'team-a',
        seesAllProjects: false,
        scopes: ['conversions:read', 'conversions:write'],
        read: [['registry.example/team-a/**']],
        write: [['registry.example/team-a/**']],
      },
    ],
  })

/** Shows callers what the broker takes them for. */
export function callerRoutes(): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/v1/caller',
      {
        schema: {
          tags: ['service'],
          operationId: 'getCaller',
          security: AUTHENTICATED,
          summary: 'Show who sends the request',
          description: 'Shows who the credential of the request belongs to, and what it may do.',
          response: { 200: CallerView, ...problemResponses(403, 503) },
        },
      },
      async ({ caller }) => callerView(caller),
    )
  }
}

function callerView({ identity, scopes, projectScope, access }: Caller): z.input<typeof CallerView> {
  const { kind, subject, issuer, tokenId } = identity
  return {
    kind,
    subject,
    ...(issuer !== undefined && { issuer }),
    ...(tokenId !== undefined && { tokenId }),
    project: projectScope.project,
    seesAllProjects: projectScope.seesAll,
    scopes: [...scopes],
    read: restrictions(access.read),
    write: restrictions(access.write),
  }
}

function restrictions(sets: readonly RepositoryPatterns[]): string[][] {
  return sets.filter(({ isEverything }) => !isEverything).map(({ texts }) => [...texts])
}
