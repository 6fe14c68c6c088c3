import type { FastifyReply } from 'fastify'
import type { z } from 'zod'
import { ConversionRequest } from '../conversion/request.ts'
import type { NewJob } from '../jobs/store.ts'
import { parseReference } from '../oci/reference.ts'
import { jobTerms, refuseCallback, termsOf } from './new-job.ts'
import { canonicalImage, signalOf } from './parameters.ts'
import { fieldError } from './problem.ts'
import type { Services } from './services.ts'

/** A conversion as it is asked for over HTTP: what to do, and how to go about the job. */
export const NewConversion = ConversionRequest.safeExtend(jobTerms).meta({
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
    ...termsOf({ labels, priority, callbackUrl }),
    requestKey,
  }
}

/**
 * Refuses before anything is accepted what can be known to fail.
 * @param at how the path of a wrong field begins
 */
export async function refuseUnfit(
  body: NewConversion,
  services: Services,
  reply: FastifyReply,
  at = 'body',
): Promise<void> {
  const { records, checkAllowed, checkPlatforms } = services
  refuseCallback(body.callbackUrl, services, at)
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
