import { type FastifyBaseLogger, type FastifyInstance, type FastifyPluginAsync, fastify } from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { type HookSecrets, hookSecretHook, tokenHook } from './auth.ts'
import { addDeadline } from './deadline.ts'
import { addIdempotency } from './idempotency.ts'
import { closeIdle } from './idle-connections.ts'
import type { JobResource } from './job-resource.ts'
import { refuseForeignPages } from './local-callers.ts'
import { describeApi } from './openapi.ts'
import { answerError } from './problem.ts'
import { Trigger } from './pushes/trigger.ts'
import { guardBodies } from './request-body.ts'
import { acceldRoutes } from './routes/acceld.ts'
import { batchRoutes } from './routes/batches.ts'
import { cacheRoutes } from './routes/cache.ts'
import { callbackRoutes } from './routes/callbacks.ts'
import { conversionResource, conversionRoutes } from './routes/conversions.ts'
import { evaluationRoutes } from './routes/evaluations.ts'
import { eventRoutes, jobEventRoutes } from './routes/events.ts'
import { hookRoutes } from './routes/hooks.ts'
import { imageRoutes } from './routes/images.ts'
import { jobActRoutes } from './routes/job-acts.ts'
import { mergeRoutes } from './routes/merges.ts'
import { publicationRoutes } from './routes/publications.ts'
import { recordImageRoutes } from './routes/record-images.ts'
import { recordUploadRoute } from './routes/record-upload.ts'
import { recordRoutes } from './routes/records.ts'
import { retargetRoutes } from './routes/retargets.ts'
import { retentionRoutes } from './routes/retention.ts'
import { ruleRoutes } from './routes/rules.ts'
import { serviceRoutes } from './routes/service.ts'
import { verificationResource, verificationRoutes } from './routes/verifications.ts'
import type { Services } from './services.ts'
import { answerUnknownRoutes } from './unknown-routes.ts'
import { answerOddRequests, wireErrors } from './wire-errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Aborted when the server is to stop: whoever waits for a job is answered then. */
    closing: AbortSignal
  }
}

export type AppOptions = {
  readonly services: Services
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
  answerOddRequests(app)
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.setErrorHandler(answerError)
  addDeadline(app, requestMs)
  closeIdle(app, requestMs + IDLE_MS)
  guardBodies(app, options.minBodyRate ?? 0, options.bodyPaceEveryMs)
  const caller = options.token === undefined ? refuseForeignPages : tokenHook(options.token)
  app.addHook('onRequest', hookSecretHook(options.hookSecrets ?? {}, caller, options.token !== undefined))
  addIdempotency(app, services.requestKeys)
  const closing = new AbortController()
  const { stopping } = options
  app.decorate('closing', stopping ? AbortSignal.any([closing.signal, stopping]) : closing.signal)
  app.addHook('preClose', async () => closing.abort(new Error('the server stops')))
  answerUnknownRoutes(app)
  await describeApi(app)
  const registerJobs = async (resource: JobResource) => {
    for (const routes of [jobActRoutes, jobEventRoutes, callbackRoutes]) {
      await app.register(routes(services, resource))
    }
  }
  const trigger = new Trigger(services)
  await app.register(serviceRoutes(services))
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
