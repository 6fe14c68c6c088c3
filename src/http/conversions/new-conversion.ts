import type { FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { ConversionRequest } from '../../conversion/request.ts'
import type { NewJob } from '../../jobs/queue/accept-job.ts'
import { parseReference } from '../../oci/reference.ts'
import { analysisContext } from '../access/analysis-context.ts'
import type { JobValidator, PlatformSelection } from '../jobs/job-validator.ts'
import { jobOptions, pickJobOptions } from '../jobs/new-job.ts'
import { canonicalImage } from '../parameters.ts'

/** The body of a request for a conversion: the conversion itself, and the options of its job. */
export const NewConversion = ConversionRequest.safeExtend(jobOptions).meta({
  id: 'NewConversion',
  description: 'An image to convert to eStargz, from registry to registry.',
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

/**
 * Returns the job for a requested conversion.
 * @param origin the request: its idempotency key, if it has claimed one, and its id
 */
export function conversionJob(
  { labels, priority, callbackUrl, ...request }: NewConversion,
  origin: Pick<NewJob, 'requestKey' | 'requestId'>,
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
    ...pickJobOptions({ labels, priority, callbackUrl }),
    ...origin,
  }
}

/** A requested conversion. `fieldPath` is its path in the request body, for errors. */
type RequestedConversion = { readonly body: NewConversion; readonly fieldPath: string }

/** Rejects conversions that are certain to fail. Each record and each image is looked up once. */
export async function assertConvertible(
  requested: readonly RequestedConversion[],
  validator: JobValidator,
  request: FastifyRequest,
): Promise<void> {
  for (const { body, fieldPath } of requested) {
    validator.assertCallbackAllowed(body.callbackUrl, fieldPath)
    await validator.assertReferencesAllowed(referencesOf(body), request.caller)
  }
  await validator.assertRecordsExist(recordsOf(requested), request.caller)
  await validator.assertPlatformsAvailable(platformSelections(requested), analysisContext(request))
}

function referencesOf({ source, target, record }: NewConversion) {
  const written = [target]
  if (record && 'image' in record) return { read: [source, record.image], written }
  if (record && 'copyFrom' in record) return { read: [source, record.copyFrom], written }
  return { read: [source], written }
}

function recordsOf(requested: readonly RequestedConversion[]): { id: string; fieldPath: string }[] {
  return requested.flatMap(({ body: { record }, fieldPath }) =>
    record && 'id' in record ? [{ id: record.id, fieldPath: `${fieldPath}.record.id` }] : [],
  )
}

/** The platform selections, without duplicates. */
function platformSelections(requested: readonly RequestedConversion[]): PlatformSelection[] {
  const selections = new Map<string, PlatformSelection>()
  for (const { body, fieldPath } of requested) {
    const { source, platforms } = body
    if (!platforms) continue
    const key = JSON.stringify([canonicalImage(source), platforms])
    if (!selections.has(key)) selections.set(key, { source, platforms, fieldPath })
  }
  return [...selections.values()]
}
