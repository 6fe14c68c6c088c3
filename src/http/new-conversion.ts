import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { ConversionRequest } from '../conversion/request.ts'
import type { NewJob } from '../jobs/store.ts'
import { parseReference } from '../oci/reference.ts'
import { canonicalImage, Labels, signalOf } from './parameters.ts'
import { fieldError } from './problem.ts'
import type { Services } from './services.ts'

/** A conversion as it is asked for over HTTP: what to do, and how to go about the job. */
export const NewConversion = ConversionRequest.safeExtend({
  labels: Labels.optional().describe('To find it by.'),
  priority: z
    .int()
    .min(-100)
    .max(100)
    .optional()
    .describe('Higher ones go first; 0 is usual. Within one, those that wait longer.'),
  callbackUrl: z
    .url({ protocol: /^https?$/ })
    .max(2000)
    .optional()
    .describe('Told when it is over, signed as Standard Webhooks say; at an origin that this broker allows.'),
}).meta({
  id: 'NewConversion',
  description: 'An image to convert into eStargz, registry to registry, and how to go about it.',
  examples: [
    {
      source: 'registry.example/team/app:1.0',
      target: 'registry.example/team/app:1.0-esgz',
      record: { image: 'registry.example/team/app:record-1.0-serve' },
      labels: { pipeline: '4711' },
      priority: 10,
    },
  ],
})
export type NewConversion = z.infer<typeof NewConversion>

/** The job for a conversion that was asked for. */
export function conversionJob(
  { labels, priority, callbackUrl, ...request }: NewConversion,
  requestKey: string | undefined,
): NewJob {
  const { source, target, record } = request
  return {
    kind: 'conversion',
    source: canonicalImage(source),
    target: canonicalImage(target),
    sourceHost: parseReference(source).host,
    targetHost: parseReference(target).host,
    request,
    ...(record && 'id' in record && { recordId: record.id }),
    ...(labels && { labels }),
    ...(priority !== undefined && { priority }),
    requestKey,
    callbackUrl,
  }
}

/**
 * Refuses before anything is accepted what can be known to fail.
 * @param at how the path of a wrong field begins
 */
export async function refuseUnfit(
  body: NewConversion,
  { records, checkAllowed, checkPlatforms, allowsCallback }: Services,
  reply: FastifyReply,
  at = 'body',
): Promise<void> {
  if (body.callbackUrl !== undefined && !allowsCallback(new URL(body.callbackUrl))) {
    const why = 'callbacks may not be sent there; RECORD_BROKER_CALLBACK_ORIGINS says where they may'
    throw fieldError(403, 'CALLBACK_NOT_ALLOWED', `${at}.callbackUrl`, why)
  }
  checkAllowed(body.source)
  checkAllowed(body.target)
  const { record } = body
  if (record && 'image' in record) checkAllowed(record.image)
  if (record && 'copyFrom' in record) checkAllowed(record.copyFrom)
  if (record && 'id' in record && !(await records.get(record.id))) {
    throw fieldError(422, 'RECORD_NOT_FOUND', `${at}.record.id`, `there is no record ${record.id}`)
  }
  if (body.platforms) await checkPlatforms(body.source, body.platforms, signalOf(reply))
}
