import type { z } from 'zod'
import { ConversionRequest } from '../../conversion/request.ts'
import type { NewJob } from '../../jobs/queue/accept.ts'
import { parseReference } from '../../oci/reference.ts'
import { statusOf } from '../error-status.ts'
import { assertCallbackAllowed, jobTerms, termsOf } from '../jobs/new-job.ts'
import { canonicalImage } from '../parameters.ts'
import { fieldError } from '../problem.ts'
import type { Services } from '../services.ts'

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

/** A conversion that is asked for, and how the paths of its wrong fields begin. */
type Asked = { readonly body: NewConversion; readonly at: string }

/** Refuses before anything is accepted what can be known to fail. Each record and image is looked for once. */
export async function assertAcceptable(
  asked: readonly Asked[],
  services: Services,
  signal: AbortSignal,
): Promise<void> {
  for (const { body, at } of asked) {
    assertCallbackAllowed(body.callbackUrl, services, at)
    for (const reference of referencesOf(body)) services.checkAllowed(reference)
  }
  await refuseMissingRecords(asked, services)
  await refuseMissingPlatforms(asked, services, signal)
}

function referencesOf({ source, target, record }: NewConversion): string[] {
  if (record && 'image' in record) return [source, target, record.image]
  if (record && 'copyFrom' in record) return [source, target, record.copyFrom]
  return [source, target]
}

async function refuseMissingRecords(asked: readonly Asked[], { records }: Services): Promise<void> {
  const wanted = asked.flatMap(({ body: { record }, at }) =>
    record && 'id' in record ? [{ id: record.id, at }] : [],
  )
  if (wanted.length === 0) return
  const there = await records.existing(wanted.map(({ id }) => id))
  const missing = wanted.find(({ id }) => !there.has(id))
  if (!missing) return
  const why = `there is no record ${missing.id}`
  throw fieldError(422, 'RECORD_NOT_FOUND', `${missing.at}.record.id`, why)
}

async function refuseMissingPlatforms(
  asked: readonly Asked[],
  { analyses }: Services,
  signal: AbortSignal,
): Promise<void> {
  const distinct = new Map<string, { source: string; platforms: string[]; at: string }>()
  for (const { body, at } of asked) {
    const { source, platforms } = body
    if (!platforms) continue
    const key = JSON.stringify([canonicalImage(source), platforms])
    if (!distinct.has(key)) distinct.set(key, { source, platforms, at })
  }
  const images = [...distinct.values()]
  if (images.length === 0) return
  await assertAcceptablePlatforms(images, analyses, signal)
}

/**
 * Refuses images that have not the platforms that are asked for.
 * @param images `at` is how the paths of their wrong fields begin
 */
export async function assertAcceptablePlatforms(
  images: readonly { readonly source: string; readonly platforms: readonly string[]; readonly at: string }[],
  analyses: Services['analyses'],
  signal: AbortSignal,
): Promise<void> {
  const [problem] = await analyses.checkPlatforms(
    { images: images.map(({ source, platforms }) => ({ source, platforms })) },
    { signal },
  )
  if (!problem) return
  const { at = 'body' } = images[problem.position] ?? {}
  throw fieldError(statusOf(problem.code) ?? 500, problem.code, `${at}.platforms`, problem.message)
}
