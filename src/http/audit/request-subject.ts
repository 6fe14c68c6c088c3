import type { FastifyReply, FastifyRequest } from 'fastify'
import { EMBEDDED_HOST } from '../../access/repository-patterns.ts'
import type { HostNames } from '../../oci/host-names.ts'
import { parseReference } from '../../oci/reference.ts'
import type { Audited } from './audited.ts'

/** The fields of bodies that name an image, the more telling ones first. */
const REFERENCE_FIELDS = ['target', 'image', 'reference', 'source'] as const
const LOCATION = /^\/v1\/[a-z-]+\/(.+)$/

/**
 * Says what a request is about: its operation, and what it acts on. Only what was validated is taken from a request:
 * anything else in it may be a secret that someone put in the wrong place.
 */
export function subjectOf(
  request: FastifyRequest,
  reply: FastifyReply,
  names: HostNames,
): Pick<Audited, 'action' | 'repository' | 'resource'> {
  const { audited, routeOptions, method } = request
  if (audited) return audited
  const action = actionOf(routeOptions, method)
  if (reply.statusCode === 400 || request.knownCaller === undefined) return { action }
  return { action, repository: repositoryOf(request, names), resource: resourceOf(request, reply) }
}

function actionOf({ url, schema }: FastifyRequest['routeOptions'], method: string): string {
  const { operationId } = (schema ?? {}) as { operationId?: string }
  if (operationId !== undefined) return operationId
  return url === undefined ? 'unknownRoute' : `${method} ${url}`
}

function repositoryOf({ params, body }: FastifyRequest, names: HostNames): string | undefined {
  const fields = (body !== null && typeof body === 'object' ? body : {}) as Readonly<Record<string, unknown>>
  const { '*': path } = (params ?? {}) as { '*'?: string }
  const texts = [path, ...REFERENCE_FIELDS.map((name) => fields[name])]
  for (const text of texts) {
    const name = typeof text === 'string' ? repositoryIn(text, names) : undefined
    if (name !== undefined) return name
  }
  return undefined
}

function repositoryIn(text: string, names: HostNames): string | undefined {
  try {
    const { host, repository } = parseReference(text)
    return `${names.hosts.includes(host) ? EMBEDDED_HOST : host}/${repository}`
  } catch {
    // A digest, or no reference.
    return undefined
  }
}

function resourceOf({ params }: FastifyRequest, reply: FastifyReply): string | undefined {
  const named = Object.entries((params ?? {}) as Readonly<Record<string, string>>)
    .filter(([name]) => name !== '*')
    .map(([, value]) => value)
  if (named.length > 0) return named.join('/')
  return LOCATION.exec(String(reply.getHeader('location') ?? ''))?.[1]
}
