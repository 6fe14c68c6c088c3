import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Caller } from '../../access/caller.ts'
import { AccessError } from '../../access/errors.ts'
import { ProjectInUseError, ProjectNotFoundError } from '../../access/projects/errors.ts'
import { type Project, ProjectName, ProjectRules } from '../../access/projects/project.ts'
import { RepositoryPatterns } from '../../access/repository-patterns.ts'
import { AUTHENTICATED, requires } from '../access/security.ts'
import { PageQuery } from '../parameters.ts'
import { problemResponses } from '../problem.ts'
import type { Services } from '../services.ts'
import { ProjectPage, ProjectView, projectView, UsageView, usageView } from './view.ts'

const NameParams = z.object({ name: ProjectName })
const ProjectQuery = z.object({
  ...PageQuery,
  cursor: ProjectName.optional().describe('The value of `next` in the previous page.'),
})

/** Creates, lists, changes and removes projects, and shows what they use. */
export function projectRoutes({
  projects,
  projectUsage,
}: Pick<Services, 'projects' | 'projectUsage'>): FastifyPluginAsyncZod {
  const tags = ['access']
  const security = requires('admin')
  /** Callers that are no administrators see their own project only. The others cost no query. */
  const readVisible = async (name: string, caller: Caller): Promise<Project> => {
    const isVisible = caller.isAdmin || caller.project === name
    const project = isVisible ? await projects.read(name) : undefined
    if (!project) throw new ProjectNotFoundError(name)
    return project
  }
  return async (app) => {
    app.get(
      '/v1/projects',
      {
        schema: {
          tags,
          operationId: 'listProjects',
          security,
          summary: 'List the projects by name',
          description: 'The project `default` always exists.',
          querystring: ProjectQuery,
          response: { 200: ProjectPage, ...problemResponses(400, 403, 503) },
        },
      },
      async ({ query: { cursor, limit } }) => {
        const { items, ...rest } = await projects.list({ after: cursor, limit })
        return { items: items.map(projectView), ...rest }
      },
    )
    app.get(
      '/v1/projects/:name',
      {
        schema: {
          tags,
          operationId: 'getProject',
          security: AUTHENTICATED,
          summary: 'Show a project',
          description: 'Callers without the scope `admin` see their own project.',
          params: NameParams,
          response: { 200: ProjectView, ...problemResponses(400, 404, 503) },
        },
      },
      async ({ params: { name }, caller }) => projectView(await readVisible(name, caller)),
    )
    app.get(
      '/v1/projects/:name/usage',
      {
        schema: {
          tags,
          operationId: 'getProjectUsage',
          security: AUTHENTICATED,
          summary: 'Show what a project uses of its quotas',
          description: 'Callers without the scope `admin` see their own project.',
          params: NameParams,
          response: { 200: UsageView, ...problemResponses(400, 404, 503) },
        },
      },
      async ({ params: { name }, caller }) => {
        const project = await readVisible(name, caller)
        return usageView(project, await projectUsage(name))
      },
    )
    app.put(
      '/v1/projects/:name',
      {
        schema: {
          tags,
          operationId: 'putProject',
          security,
          summary: 'Create a project, or replace its rules',
          description:
            'Fields that the request omits get their defaults. Other replicas apply the rules within five seconds.',
          params: NameParams,
          body: ProjectRules,
          response: {
            200: ProjectView.describe('The rules were replaced.'),
            201: ProjectView.describe('The project was created.'),
            ...problemResponses(400, 403, 422, 503, 507),
          },
        },
      },
      async (request, reply) => {
        const { name } = request.params
        request.concernedProject = name
        assertWithinCaller(request.body, request.caller)
        const { project, created } = await projects.put(name, request.body)
        return reply.code(created ? 201 : 200).send(projectView(project))
      },
    )
    app.delete(
      '/v1/projects/:name',
      {
        schema: {
          tags,
          operationId: 'deleteProject',
          security,
          summary: 'Delete a project',
          description:
            'Its usable API tokens must be revoked before, and its jobs finished. Its registry credentials are deleted with it. Its records and images remain, for administrators and for a later project with the same name.',
          params: NameParams,
          response: {
            204: z.null().describe('The project was deleted.'),
            ...problemResponses(400, 403, 404, 409, 503, 507),
          },
        },
      },
      async (request, reply) => {
        const { name } = request.params
        request.concernedProject = name
        const { queuedJobs = 0, runningJobs = 0 } = await projectUsage(name)
        if (queuedJobs + runningJobs > 0) {
          throw new ProjectInUseError(
            `the project ${name} has ${queuedJobs} queued and ${runningJobs} running jobs; cancel them first`,
          )
        }
        if (!(await projects.remove(name))) throw new ProjectNotFoundError(name)
        return reply.code(204).send(null)
      },
    )
  }
}

/**
 * Makes sure that a project gets no repositories that the administrator's own credential may not use. Tokens of the
 * project would have more rights than their maker.
 * @throws AccessError
 */
function assertWithinCaller(rules: ProjectRules, { ownAccess }: Caller): void {
  for (const use of ['read', 'write'] as const) {
    const wanted = new RepositoryPatterns(rules[use])
    if (ownAccess[use].every((patterns) => patterns.covers(wanted))) continue
    throw new AccessError(
      'ACCESS_DENIED',
      `${use}: your credential may ${use} fewer repositories than the project would`,
    )
  }
}
