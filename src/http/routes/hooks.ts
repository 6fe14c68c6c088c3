import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { parseHost } from '../../oci/reference.ts'
import { problems } from '../problem.ts'
import {
  CloudEvent,
  DistributionNotification,
  HarborWebhook,
  pushesOfCloudEvent,
  pushesOfDistribution,
  pushesOfHarbor,
} from '../pushes/payloads.ts'
import { type Push, pushed } from '../pushes/trigger.ts'
import type { Services } from '../services.ts'

const Outcomes = z
  .object({
    items: z.array(
      z.object({
        image: z.string(),
        conversions: z.array(z.object({ rule: z.string(), id: z.string() })),
        ignored: z.string().optional().describe('Why nothing is converted.'),
      }),
    ),
  })
  .meta({
    id: 'PushOutcomes',
    description: 'What became of pushes that a registry told of.',
    examples: [{ items: [{ image: 'registry.example/team/app:1.0', conversions: [] }] }],
  })

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
export function hookRoutes(services: Services): FastifyPluginAsyncZod {
  const answer = async (pushes: readonly Push[]) => ({
    items: (await pushed(services, pushes)).map((one) => ({ ...one, conversions: [...one.conversions] })),
  })
  const response = { 200: Outcomes, ...problems(400, 503) }
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
      (request) => answer(pushesOfDistribution(request.body, request.query.host)),
    )
    app.post(
      '/v1/hooks/harbor',
      {
        config: { hookSender: 'harbor' },
        schema: { ...described('hookHarbor', 'Take webhooks of Harbor'), body: HarborWebhook },
      },
      (request) => answer(pushesOfHarbor(request.body, request.query.host)),
    )
    app.post(
      '/v1/hooks/cloudevents',
      {
        config: { hookSender: 'cloudevents' },
        schema: { ...described('hookCloudEvents', 'Take CloudEvents of zot or Harbor'), body: CloudEvent },
      },
      (request) => answer(pushesOfCloudEvent(request.body, request.query.host)),
    )
  }
}
