import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AuditEvent, AuditOutcome } from '../../access/audit/audit-entry.ts'
import type { AuditTrail } from '../../access/audit/audit-trail.ts'
import type { HostNames } from '../../oci/host-names.ts'
import { callerAddress } from '../connection/caller-address.ts'
import { isRegistryPath } from '../registry-path.ts'
import { subjectOf } from './request-subject.ts'

const SAFE_METHODS: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'TRACE']
/** Refusals: no or no valid credential, no permission, a wrong host, too many requests. */
const REFUSALS: readonly number[] = [401, 403, 421, 429]

/**
 * Records who changed what, and what was refused to whom, when the response has been sent. Reads are recorded if they
 * were refused, or if a caller other than an administrator named something that does not exist: what belongs to
 * another project does not exist either.
 */
export function recordRequests(
  app: FastifyInstance,
  trail: Pick<AuditTrail, 'record'>,
  names: HostNames,
): void {
  app.addHook('onRequest', async (request, reply) => {
    // Unknown when the connection is closed.
    const address = callerAddress(request)
    reply.raw.once('close', () => {
      const outcome = outcomeOf(request, reply)
      if (outcome !== undefined) trail.record({ ...eventOf(request, reply, outcome, names), address })
    })
  })
}

/** Prepares requests for the audit log, whether or not there is one. */
export function describeFailures(app: FastifyInstance): void {
  app.decorateRequest('audited', undefined)
  app.decorateRequest('concernedProject', undefined)
  app.decorateRequest('failureCode', undefined)
  app.addHook('onError', async (request, _reply, error) => {
    request.failureCode = error.code
  })
}

/** How a request ended; undefined if it is not recorded. */
function outcomeOf(request: FastifyRequest, reply: FastifyReply): AuditOutcome | undefined {
  const { method, routeOptions, audited, knownCaller, headers } = request
  const { statusCode } = reply
  const isRegistry = isRegistryPath(routeOptions.url ?? '')
  if (REFUSALS.includes(statusCode)) {
    // Clients of registries ask for the challenge first.
    const isQuestion = statusCode === 401 && isRegistry && headers.authorization === undefined
    return isQuestion ? undefined : 'denied'
  }
  const isRecorded = routeOptions.config?.isAudited === true || !SAFE_METHODS.includes(method)
  if (isRecorded && !audited?.isUnrecorded) return statusCode < 400 ? 'allowed' : 'failed'
  const isMissing = statusCode === 404 && routeOptions.url !== undefined && !isRegistry
  return isMissing && knownCaller?.isAdmin === false ? 'failed' : undefined
}

function eventOf(
  request: FastifyRequest,
  reply: FastifyReply,
  outcome: AuditOutcome,
  names: HostNames,
): AuditEvent {
  const { knownCaller, method, id } = request
  return {
    at: Date.now(),
    kind: knownCaller?.identity.kind ?? 'anonymous',
    ...(knownCaller && {
      subject: knownCaller.identity.subject,
      issuer: knownCaller.identity.issuer,
      tokenId: knownCaller.identity.tokenId,
      // An administrator who names no project changes what belongs to others, too.
      project: request.concernedProject ?? knownCaller.project,
    }),
    ...subjectOf(request, reply, names),
    method,
    outcome,
    status: reply.statusCode,
    code: reply.statusCode < 400 ? undefined : request.failureCode,
    requestId: id,
  }
}
