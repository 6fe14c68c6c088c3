import { type FastifyBaseLogger, type FastifyInstance, type FastifyPluginAsync, fastify } from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { type HookSecrets, hookSecretHook, tokenHook } from './auth.ts'
import { batchRoutes } from './batches/routes.ts'
import { cacheRoutes } from './cache/routes.ts'
import { addDeadline } from './connection/deadline.ts'
import { closeIdle } from './connection/idle-connections.ts'
import { rejectForeignPages } from './connection/local-callers.ts'
import { guardBodies } from './connection/request-body.ts'
import { handleMalformedRequests, wireErrors } from './connection/wire-errors.ts'
import { conversionResource, conversionRoutes } from './conversions/routes.ts'
import { eventRoutes, jobEventRoutes } from './events/routes.ts'
import { healthRoutes } from './health/routes.ts'
import { addIdempotency } from './idempotency/idempotency.ts'
import { evaluationRoutes } from './images/evaluations.ts'
import { imageRoutes } from './images/routes.ts'
import { jobActionRoutes } from './jobs/actions.ts'
import { callbackRoutes } from './jobs/callbacks.ts'
import type { JobResource } from './jobs/resource.ts'
import { describeApi } from './openapi.ts'
import { sendError } from './problem.ts'
import { acceldRoutes } from './pushes/acceld.ts'
import { hookRoutes } from './pushes/hooks.ts'
import { Trigger } from './pushes/trigger.ts'
import { retentionRoutes } from './record-images/retention.ts'
import { recordImageRoutes } from './record-images/routes.ts'
import { mergeRoutes } from './records/merges.ts'
import { publicationRoutes } from './records/publications.ts'
import { retargetRoutes } from './records/retargets.ts'
import { recordRoutes } from './records/routes.ts'
import { recordUploadRoute } from './records/upload.ts'
import { ruleRoutes } from './rules/routes.ts'
import type { Services } from './services.ts'
import { handleUnknownRoutes } from './unknown-routes.ts'
import { verificationResource, verificationRoutes } from './verifications/routes.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Aborted when the server is to stop: whoever waits for a job is answered then. */
    closing: AbortSignal
  }
}

export type AppOptions = {
  readonly services: Services
  /** Of the program, for the OpenAPI document. */
  readonly version: string
  /** false: nothing is logged. */
  readonly logger: FastifyBaseLogger | false
  /** Demanded of every request when it is given. */
  readonly token?: string
  /** Of the registries that tell of pushes. */
  readonly hookSecrets?: HookSecrets
  /** The embedded registry; it serves `/v2/`. */
  readonly registryPlugin?: FastifyPluginAsync
  /** Of a body that is no record and no part of an image, in bytes. */
  readonly maxBodyBytes: number
  /** How long a request may be worked on. */
  readonly requestMs: number
  /** Bytes a second, below which a body is too slow; left out: none is. */
  readonly minBodyRate?: number
  /** How often the pace of bodies is looked at; left out: every ten seconds. */
  readonly bodyPaceEveryMs?: number
  /** Connections at a time; left out: any number. */
  readonly maxConnections?: number
  /** Aborts when the server is to stop, which it may do much later; left out: when it is closed. */
  readonly stopping?: AbortSignal
}

/** Beyond the time that an answer may take. */
const IDLE_MS = 60_000

/** The HTTP server, not listening yet. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { services, logger, maxBodyBytes, requestMs } = options
  const app: FastifyInstance = fastify({
    ...(logger ? { loggerInstance: logger } : { logger: false }),
    bodyLimit: maxBodyBytes,
    // References are longer than other path parameters.
    routerOptions: { maxParamLength: 1000 },
    // A request without Host is answered below, with a word.
    http: { requireHostHeader: false },
    ...wireErrors,
  })
  if (options.maxConnections !== undefined) app.server.maxConnections = options.maxConnections
  handleMalformedRequests(app)
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.setErrorHandler(sendError)
  addDeadline(app, requestMs)
  closeIdle(app, requestMs + IDLE_MS)
  guardBodies(app, options.minBodyRate ?? 0, options.bodyPaceEveryMs)
  const caller = options.token === undefined ? rejectForeignPages : tokenHook(options.token)
  app.addHook('onRequest', hookSecretHook(options.hookSecrets ?? {}, caller, options.token !== undefined))
  addIdempotency(app, services.requestKeys)
  const closing = new AbortController()
  const { stopping } = options
  app.decorate('closing', stopping ? AbortSignal.any([closing.signal, stopping]) : closing.signal)
  app.addHook('preClose', async () => closing.abort(new Error('the server stops')))
  handleUnknownRoutes(app)
  await describeApi(app, options.version)
  const registerJobs = async (resource: JobResource) => {
    for (const routes of [jobActionRoutes, jobEventRoutes, callbackRoutes]) {
      await app.register(routes(services, resource))
    }
  }
  const trigger = new Trigger(services)
  await app.register(healthRoutes(services))
  await app.register(recordUploadRoute(services, trigger))
  await app.register(recordRoutes(services))
  await app.register(evaluationRoutes(services))
  await app.register(mergeRoutes(services))
  await app.register(retargetRoutes(services))
  await app.register(publicationRoutes(services))
  await app.register(recordImageRoutes(services))
  await app.register(retentionRoutes(services))
  await app.register(conversionRoutes(services))
  await registerJobs(conversionResource(services))
  await app.register(eventRoutes(services))
  await app.register(ruleRoutes(services))
  await app.register(hookRoutes(trigger))
  await app.register(acceldRoutes(services, trigger))
  await app.register(batchRoutes(services))
  await app.register(verificationRoutes(services))
  await registerJobs(verificationResource(services))
  await app.register(cacheRoutes(services))
  await app.register(imageRoutes(services))
  if (options.registryPlugin) await app.register(options.registryPlugin)
  await app.ready()
  return app
}
