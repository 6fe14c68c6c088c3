import type { FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { VerificationRequest } from '../../conversion/request.ts'
import type { NewJob } from '../../jobs/queue/accept-job.ts'
import { parseReference } from '../../oci/reference.ts'
import { analysisContext } from '../access/analysis-context.ts'
import type { JobValidator } from '../jobs/job-validator.ts'
import { jobOptions, pickJobOptions } from '../jobs/new-job.ts'
import { canonicalImage } from '../parameters.ts'

/** The body of a request for a verification: the verification itself, and the options of its job. */
export const NewVerification = VerificationRequest.extend(jobOptions).meta({
  id: 'NewVerification',
  description: 'An eStargz image to verify, optionally compared with its source.',
  examples: [
    {
      reference: 'registry.example/team/app:1.0-esgz',
      source: 'registry.example/team/app:1.0',
      labels: { pipeline: '4711' },
    },
  ],
})
type NewVerification = z.infer<typeof NewVerification>

/**
 * Returns the job for a requested verification.
 * @param origin the request: its idempotency key, if it has claimed one, and its id
 */
export function verificationJob(
  { labels, priority, callbackUrl, ...request }: NewVerification,
  origin: Pick<NewJob, 'requestKey' | 'requestId'>,
): NewJob {
  const { reference, source } = request
  return {
    kind: 'verification',
    source: canonicalImage(reference),
    target: '',
    ...(source !== undefined && { comparedWith: canonicalImage(source) }),
    sourceHost: parseReference(reference).host,
    request,
    ...pickJobOptions({ labels, priority, callbackUrl }),
    ...origin,
  }
}

/** Rejects a verification that is certain to fail. */
export async function assertVerifiable(
  { reference, source, platforms, callbackUrl }: NewVerification,
  validator: JobValidator,
  request: FastifyRequest,
): Promise<void> {
  validator.assertCallbackAllowed(callbackUrl, 'body')
  await validator.assertReferencesAllowed(
    { read: source === undefined ? [reference] : [reference, source] },
    request.caller,
  )
  const selections = platforms ? [{ source: reference, platforms, fieldPath: 'body' }] : []
  await validator.assertPlatformsAvailable(selections, analysisContext(request))
}
