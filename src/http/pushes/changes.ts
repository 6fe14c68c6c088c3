import type { z } from 'zod'
import { isDigest } from '../../oci/digest.ts'
import { parseReference, type Reference } from '../../oci/reference.ts'
import {
  type CloudEvent,
  type DistributionNotification,
  HarborData,
  type HarborWebhook,
  onHost,
  parseData,
  ZotImage,
} from './payloads.ts'

/** The references that a notification reports as pushed or deleted. Others than images count as well. */
export function changesFromDistribution(
  { events }: z.infer<typeof DistributionNotification>,
  host: string | undefined,
): Reference[] {
  return events.flatMap(({ action, target, request }) => {
    const { repository, tag, digest } = target
    const registry = host ?? request?.host
    if ((action !== 'push' && action !== 'delete') || repository === undefined || registry === undefined)
      return []
    // A deleted manifest has lost all of its tags.
    const isTag = action === 'push' && tag !== undefined && tag !== ''
    return parseChange(
      `${registry}/${repository}${isTag ? `:${tag}` : digest === undefined ? '' : `@${digest}`}`,
    )
  })
}

/** The references that a webhook reports as pushed or deleted. */
export function changesFromHarbor(
  { type, event_data }: z.infer<typeof HarborWebhook>,
  host?: string,
): Reference[] {
  if (type !== 'PUSH_ARTIFACT' && type !== 'DELETE_ARTIFACT') return []
  return (event_data?.resources ?? []).flatMap(({ resource_url, digest }) => [
    ...parseChange(onHost(resource_url, host)),
    ...(digest === undefined || resource_url.includes('@')
      ? []
      : parseChange(`${onHost(resource_url, host).replace(/:[^:/]*$/, '')}@${digest}`)),
  ])
}

/** The references that an event reports as pushed or deleted. */
export function changesFromCloudEvent(
  { type, source, data }: z.infer<typeof CloudEvent>,
  host?: string,
): Reference[] {
  if (type === 'harbor.artifact.pushed' || type === 'harbor.artifact.deleted') {
    const { resources } = parseData(HarborData, data)
    return changesFromHarbor({ type: 'PUSH_ARTIFACT', event_data: { resources } }, host)
  }
  if (type !== 'zotregistry.image.updated' && type !== 'zotregistry.image.deleted') return []
  const { name, reference } = parseData(ZotImage, data)
  const registry = host ?? source
  if (registry === undefined) return []
  return parseChange(`${registry}/${name}${isDigest(reference) ? '@' : ':'}${reference}`)
}

/** Returns the reference if it names a tag or a digest, and nothing otherwise. */
function parseChange(text: string): Reference[] {
  try {
    const reference = parseReference(text)
    return reference.tag === undefined && reference.digest === undefined ? [] : [reference]
  } catch {
    return []
  }
}
