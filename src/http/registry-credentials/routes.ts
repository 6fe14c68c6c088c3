import type { FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { requires } from '../access/security.ts'
import { HttpError, problemResponses } from '../problem.ts'
import type { Services } from '../services.ts'
import { assertHostUsable } from './assert-host.ts'
import {
  CredentialPage,
  CredentialQuery,
  CredentialView,
  credentialView,
  NewCredential,
  RegistryHostName,
} from './view.ts'

const HostParams = z.object({ host: RegistryHostName })
const WHOSE =
  'They are those of the project in the header `Record-Broker-Project`, or else of the project `default`.'

/** Stores the credentials with which the jobs of a project use registries. */
export function registryCredentialRoutes({
  registryCredentials,
  ...hosts
}: Pick<Services, 'registryCredentials' | 'names' | 'assertReferenceAllowed'>): FastifyPluginAsyncZod {
  const common = { tags: ['access'], security: requires('admin') }
  const credentialsOf = ({ caller }: FastifyRequest) => registryCredentials.in(caller.projectScope)
  return async (app) => {
    app.get(
      '/v1/registry-credentials',
      {
        schema: {
          ...common,
          operationId: 'listRegistryCredentials',
          summary: 'List registry credentials by project and host',
          description:
            'Passwords are not shown. They are those of the project in the header `Record-Broker-Project`, or else of all projects.',
          querystring: CredentialQuery,
          response: { 200: CredentialPage, ...problemResponses(400, 403, 404, 503) },
        },
      },
      async ({ caller, query: { cursor, limit } }) => {
        const { items, ...rest } = await registryCredentials.list(caller.projectScope, {
          after: cursor,
          limit,
        })
        return { items: items.map(credentialView), ...rest }
      },
    )
    app.get(
      '/v1/registry-credentials/:host',
      {
        schema: {
          ...common,
          operationId: 'getRegistryCredential',
          summary: 'Show a registry credential',
          description: `Shows everything but the password. ${WHOSE}`,
          params: HostParams,
          response: { 200: CredentialView, ...problemResponses(400, 403, 404, 503) },
        },
      },
      async (request) => {
        const credential = await credentialsOf(request).get(request.params.host)
        if (!credential) throw credentialNotFound(request.params.host)
        return credentialView(credential)
      },
    )
    app.put(
      '/v1/registry-credentials/:host',
      {
        schema: {
          ...common,
          operationId: 'putRegistryCredential',
          summary: 'Store a registry credential, or replace it',
          description: `The password is encrypted, and used for jobs and requests of this project only. Jobs that start from now on use it. The embedded registry needs none, and hosts that the broker may not use are refused. ${WHOSE}`,
          params: HostParams,
          body: NewCredential,
          response: {
            200: CredentialView.describe('The credential was replaced.'),
            201: CredentialView.describe('The credential was stored.'),
            ...problemResponses(400, 403, 404, 422, 503, 507),
          },
        },
      },
      async (request, reply) => {
        const { username, password } = request.body
        assertHostUsable(request.params.host, hosts)
        const stored = await credentialsOf(request).put(request.params.host, { username, secret: password })
        return reply.code(stored.created ? 201 : 200).send(credentialView(stored.credential))
      },
    )
    app.delete(
      '/v1/registry-credentials/:host',
      {
        schema: {
          ...common,
          operationId: 'deleteRegistryCredential',
          summary: 'Delete a registry credential',
          description: `Jobs and requests that start from now on do not use it. ${WHOSE}`,
          params: HostParams,
          response: {
            204: z.null().describe('The credential was deleted.'),
            ...problemResponses(400, 403, 404, 503, 507),
          },
        },
      },
      async (request, reply) => {
        if (!(await credentialsOf(request).remove(request.params.host))) {
          throw credentialNotFound(request.params.host)
        }
        return reply.code(204).send(null)
      },
    )
  }
}

function credentialNotFound(host: string): HttpError {
  return new HttpError(404, 'NOT_FOUND', `the project has no credential for ${host}`)
}
