import type { FastifyInstance } from 'fastify'
import { auditRoutes } from './audit/routes.ts'
import { batchRoutes } from './batches/routes.ts'
import { cacheRoutes } from './cache/routes.ts'
import { bulkConversionRoutes } from './conversions/bulk.ts'
import { conversionResource, conversionRoutes } from './conversions/routes.ts'
import { eventRoutes, jobEventRoutes } from './events/routes.ts'
import { healthRoutes } from './health/routes.ts'
import { imageListRoutes } from './images/list-images.ts'
import { recordImageRoutes } from './images/record-images.ts'
import { imageRoutes } from './images/routes.ts'
import { jobActionRoutes } from './jobs/actions.ts'
import { callbackRoutes } from './jobs/callbacks.ts'
import type { JobResource } from './jobs/job-resource.ts'
import { JobValidator } from './jobs/job-validator.ts'
import { callerRoutes } from './login/caller-route.ts'
import { projectRoutes } from './projects/routes.ts'
import { acceldRoutes } from './pushes/acceld.ts'
import { hookRoutes } from './pushes/hooks.ts'
import { RuleEngine } from './pushes/rule-engine.ts'
import { evaluationRoutes } from './records/evaluations.ts'
import { mergeRoutes } from './records/merges.ts'
import { publicationRoutes } from './records/publications.ts'
import { retargetRoutes } from './records/retargets.ts'
import { recordRoutes } from './records/routes.ts'
import { recordUploadRoute } from './records/upload.ts'
import { registryCredentialRoutes } from './registry-credentials/routes.ts'
import { retentionRoutes } from './retention/routes.ts'
import { ruleRoutes } from './rules/routes.ts'
import { seriesRoutes } from './series/routes.ts'
import type { Services } from './services.ts'
import { tokenRoutes } from './tokens/routes.ts'
import { bulkVerificationRoutes } from './verifications/bulk.ts'
import { verificationResource, verificationRoutes } from './verifications/routes.ts'

/**
 * Registers all routes of the API, each with the services that it uses. The order is that of the OpenAPI
 * document.
 */
export async function registerRoutes(
  app: FastifyInstance,
  services: Services,
  ruleEngine = new RuleEngine(services),
): Promise<void> {
  const { analyses, batches, jobs, records } = services
  const registerJobRoutes = async (resource: JobResource) => {
    await app.register(jobActionRoutes(services, resource))
    await app.register(seriesRoutes(services, resource))
    await app.register(jobEventRoutes(services, resource))
    await app.register(callbackRoutes(services, resource))
  }
  const validator = new JobValidator(services)
  const conversions = conversionResource(services)
  const verifications = verificationResource(jobs)
  await app.register(healthRoutes(services))
  await app.register(callerRoutes())
  await app.register(recordUploadRoute(services, ruleEngine))
  await app.register(recordRoutes({ records, analyses }))
  await app.register(evaluationRoutes(services))
  await app.register(mergeRoutes(services))
  await app.register(retargetRoutes(services))
  await app.register(publicationRoutes(services))
  await app.register(recordImageRoutes(services))
  await app.register(retentionRoutes(analyses))
  await app.register(conversionRoutes(services, conversions, validator))
  await registerJobRoutes(conversions)
  await app.register(bulkConversionRoutes(services, conversions))
  await app.register(eventRoutes(services))
  await app.register(ruleRoutes(services))
  await app.register(hookRoutes(ruleEngine, services))
  await app.register(acceldRoutes(services, ruleEngine))
  await app.register(batchRoutes(batches, validator))
  await app.register(verificationRoutes(services, verifications, validator))
  await registerJobRoutes(verifications)
  await app.register(bulkVerificationRoutes(services, verifications))
  await app.register(cacheRoutes(services))
  await app.register(imageListRoutes(services))
  await app.register(imageRoutes(analyses))
  await app.register(projectRoutes(services))
  await app.register(tokenRoutes(services))
  await app.register(registryCredentialRoutes(services))
  await app.register(auditRoutes(services))
}
