import type { Json } from './document.ts'

const header = (name: string, description: string, example: string) => ({
  name,
  in: 'header',
  required: true,
  description,
  schema: { type: 'string' },
  example,
})

/** The requests that the broker sends to the `callbackUrl` of a job (`jobs/events/callback-sender.ts`). */
export const WEBHOOKS: Json = {
  jobFinished: {
    post: {
      operationId: 'jobFinished',
      tags: ['service'],
      summary: 'A job has finished',
      description:
        'Sent to the `callbackUrl` of a conversion or verification, signed according to Standard Webhooks with `RECORD_BROKER_CALLBACK_SECRET`. It may arrive more than once, with the same `webhook-id`.',
      security: [],
      parameters: [
        header('webhook-id', 'The id of the message, the same for all of its deliveries.', 'msg_019ab1c2'),
        header('webhook-timestamp', 'When this delivery was sent, in seconds since 1970.', '1767323045'),
        header(
          'webhook-signature',
          '`v1,` and the HMAC-SHA256 of `ID.TIMESTAMP.BODY` in base64.',
          'v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=',
        ),
      ],
      requestBody: {
        required: true,
        content: { 'application/json': { schema: { $ref: '#/components/schemas/CallbackMessage' } } },
      },
      responses: {
        '2XX': { description: 'The message was received.' },
        '410': { description: 'The receiver is gone: the broker sends this message no more.' },
        default: {
          description: 'The broker sends the message again, with growing pauses, ten times in total.',
        },
      },
    },
  },
}
