import type { FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { parseHost } from '../../oci/reference.ts'
import { problems } from '../problem.ts'
import { Outcomes, outcomeView } from './outcome.ts'
import {
  CloudEvent,
  DistributionNotification,
  HarborWebhook,
  pushesOfCloudEvent,
  pushesOfDistribution,
  pushesOfHarbor,
} from './payloads.ts'
import type { Push, Trigger } from './trigger.ts'

const At = z.object({
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
    .describe('By which name the registry is known here, when it calls itself by another one.'),
})

/** What registries tell of. They send again what is not answered by 2xx. */
export function hookRoutes(trigger: Trigger): FastifyPluginAsyncZod {
  const answer = async ({ log, abandoned: signal }: FastifyRequest, pushes: readonly Push[]) => ({
    items: (await trigger.pushed(pushes, { log, signal })).map(outcomeView),
  })
  const response = { 200: Outcomes, ...problems(400, 503, 504, 507) }
  const described = (operationId: string, summary: string) => ({
    tags: ['registry events'],
    operationId,
    summary,
    description: 'Rules decide what is converted. Telling of one push again converts nothing again.',
    querystring: At,
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
          ...described('hookDistribution', 'Take notifications of a distribution registry'),
          body: DistributionNotification,
        },
      },
      (request) => answer(request, pushesOfDistribution(request.body, request.query.host)),
    )
    app.post(
      '/v1/hooks/harbor',
      {
        config: { hookSender: 'harbor' },
        schema: { ...described('hookHarbor', 'Take webhooks of Harbor'), body: HarborWebhook },
      },
      (request) => answer(request, pushesOfHarbor(request.body, request.query.host)),
    )
    app.post(
      '/v1/hooks/cloudevents',
      {
        config: { hookSender: 'cloudevents' },
        schema: { ...described('hookCloudEvents', 'Take CloudEvents of zot or Harbor'), body: CloudEvent },
      },
      (request) => answer(request, pushesOfCloudEvent(request.body, request.query.host)),
    )
  }
}
