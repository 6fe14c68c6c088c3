import type { FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { parseHost, type Reference } from '../../oci/reference.ts'
import { requires } from '../access/security.ts'
import { problemResponses } from '../problem.ts'
import type { Services } from '../services.ts'
import { changesFromCloudEvent, changesFromDistribution, changesFromHarbor } from './changes.ts'
import {
  CloudEvent,
  DistributionNotification,
  HarborWebhook,
  pushesFromCloudEvent,
  pushesFromDistribution,
  pushesFromHarbor,
} from './payloads.ts'
import { PushOutcomesView, pushOutcomeView } from './push-outcome.ts'
import type { Push, RuleEngine } from './rule-engine.ts'

const HookQuery = z.object({
  host: z
    .string()
    .max(300)
    .refine((text) => {
      try {
        return parseHost(text) === text
      } catch {
        return false
      }
    }, 'expected host[:port]')
    .optional()
    .describe(
      'The host name by which the broker knows the registry, if the registry uses a different name for itself.',
    ),
})

/** Receives push notifications of registries, which send a notification again unless the response is 2xx. */
export function hookRoutes(
  ruleEngine: RuleEngine,
  { addCatalogueChanges }: Pick<Services, 'addCatalogueChanges'>,
): FastifyPluginAsyncZod {
  const convertPushes = async (
    { log, id: requestId, abortSignal: signal, caller }: FastifyRequest,
    pushes: readonly Push[],
    changes: readonly Reference[],
  ) => {
    const outcomes = await ruleEngine.handlePushes(pushes, { log, requestId, signal, caller })
    await addCatalogueChanges(changes)
    return { items: outcomes.map(pushOutcomeView) }
  }
  const response = { 200: PushOutcomesView, ...problemResponses(400, 503, 504, 507) }
  const hookSchema = (operationId: string, summary: string) => ({
    tags: ['registry events'],
    operationId,
    security: requires('conversions:write'),
    summary,
    description:
      'Starts the conversions that matching rules specify: the rules of all projects if the notification has the secret of its sender, those of its project if it has another credential. Sending a notification again does not convert an image again, unless its conversion failed.',
    querystring: HookQuery,
    response,
  })
  return async (app) => {
    app.addContentTypeParser(
      ['application/vnd.docker.distribution.events.v1+json', 'application/cloudevents+json'],
      { parseAs: 'string' },
      app.getDefaultJsonParser('error', 'error'),
    )
    app.post(
      '/v1/hooks/distribution',
      {
        config: { hookSender: 'distribution' },
        schema: {
          ...hookSchema('hookDistribution', 'Receive notifications of a distribution registry'),
          body: DistributionNotification,
        },
      },
      (request) =>
        convertPushes(
          request,
          pushesFromDistribution(request.body, request.query.host),
          changesFromDistribution(request.body, request.query.host),
        ),
    )
    app.post(
      '/v1/hooks/harbor',
      {
        config: { hookSender: 'harbor' },
        schema: { ...hookSchema('hookHarbor', 'Receive webhooks of Harbor'), body: HarborWebhook },
      },
      (request) =>
        convertPushes(
          request,
          pushesFromHarbor(request.body, request.query.host),
          changesFromHarbor(request.body, request.query.host),
        ),
    )
    app.post(
      '/v1/hooks/cloudevents',
      {
        config: { hookSender: 'cloudevents' },
        schema: {
          ...hookSchema('hookCloudEvents', 'Receive CloudEvents of zot or Harbor'),
          body: CloudEvent,
        },
      },
      (request) =>
        convertPushes(
          request,
          pushesFromCloudEvent(request.body, request.query.host),
          changesFromCloudEvent(request.body, request.query.host),
        ),
    )
  }
}
