import { z } from 'zod'
import { isDigest } from '../../oci/digest.ts'
import { isManifestType } from '../../oci/media-types.ts'
import { fieldError } from '../problem.ts'
import { issueText } from '../validation/issue-text.ts'
import type { Push } from './rule-engine.ts'

/** No registry sends more pushes in one message. */
const MAX_PUSHES = 1000
const Text = z.string().max(1000)
const EXAMPLE_DIGEST = 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'

/** Notifications of distribution 2 and 3 (`docs/content/about/notifications.md`). */
export const DistributionNotification = z
  .object({
    events: z
      .array(
        z.object({
          action: Text,
          target: z.object({
            mediaType: Text.optional(),
            repository: Text.optional(),
            tag: Text.optional(),
            digest: Text.optional(),
          }),
          request: z.object({ host: Text.optional() }).optional(),
        }),
      )
      .max(MAX_PUSHES),
  })
  .meta({
    id: 'DistributionNotification',
    description: 'A notification of a distribution registry.',
    examples: [
      {
        events: [
          {
            action: 'push',
            target: {
              mediaType: 'application/vnd.oci.image.manifest.v1+json',
              repository: 'team/app',
              tag: '1.0',
              digest: EXAMPLE_DIGEST,
            },
            request: { host: 'registry.example' },
          },
        ],
      },
    ],
  })

/** Webhooks of Harbor 2 in its own format, which acceld also accepts. */
export const HarborWebhook = z
  .object({
    type: Text,
    event_data: z
      .object({
        resources: z
          .array(z.object({ resource_url: Text, digest: Text.optional(), tag: Text.optional() }))
          .max(MAX_PUSHES),
      })
      .optional(),
  })
  .meta({
    id: 'HarborWebhook',
    description: 'A webhook of Harbor in its default format.',
    examples: [
      {
        type: 'PUSH_ARTIFACT',
        event_data: {
          resources: [{ resource_url: 'registry.example/team/app:1.0', digest: EXAMPLE_DIGEST, tag: '1.0' }],
        },
      },
    ],
  })

/**
 * CloudEvents 1.0 in JSON, as zot (`zotregistry.image.updated`) and Harbor (`harbor.artifact.pushed`) send
 * them.
 */
export const CloudEvent = z
  .object({
    specversion: Text,
    type: Text,
    source: Text.optional(),
    data: z.unknown(),
  })
  .meta({
    id: 'CloudEvent',
    description: 'An event of zot or Harbor as a CloudEvent 1.0 in JSON.',
    examples: [
      {
        specversion: '1.0',
        type: 'zotregistry.image.updated',
        source: 'registry.example',
        data: { name: 'team/app', reference: '1.0', digest: EXAMPLE_DIGEST },
      },
    ],
  })

/** @param host the host name of the registry, if it differs from the one in the notification */
export function pushesFromDistribution(
  { events }: z.infer<typeof DistributionNotification>,
  host: string | undefined,
): Push[] {
  return events.flatMap(({ action, target, request }) => {
    const { mediaType, repository, tag, digest } = target
    const registry = host ?? request?.host
    if (action !== 'push' || repository === undefined || registry === undefined) return []
    if (mediaType !== undefined && !isManifestType(mediaType)) return []
    return [toPush({ host: registry, repository, tag, digest })]
  })
}

/** Harbor reports every pushed manifest. The URL of a manifest without a tag contains its digest. */
export function pushesFromHarbor({ type, event_data }: z.infer<typeof HarborWebhook>, host?: string): Push[] {
  if (type !== 'PUSH_ARTIFACT') return []
  return (event_data?.resources ?? []).map(({ resource_url, digest }) => ({
    image: onHost(resource_url, host),
    digest: validDigest(digest),
  }))
}

export const ZotImage = z.object({
  name: Text,
  reference: Text,
  digest: Text.optional(),
  mediaType: Text.optional(),
})
export const HarborData = z.object({ resources: HarborWebhook.shape.event_data.unwrap().shape.resources })

export function pushesFromCloudEvent(
  { type, source, data }: z.infer<typeof CloudEvent>,
  host?: string,
): Push[] {
  if (type === 'harbor.artifact.pushed') {
    const { resources } = parseData(HarborData, data)
    return pushesFromHarbor({ type: 'PUSH_ARTIFACT', event_data: { resources } }, host)
  }
  if (type !== 'zotregistry.image.updated') return []
  const { name, reference, digest } = parseData(ZotImage, data)
  const registry = host ?? source
  if (registry === undefined) return []
  const version = isDigest(reference) ? { digest: reference } : { tag: reference, digest }
  return [toPush({ host: registry, repository: name, ...version })]
}

/** Replaces the host of an address by the one by which the broker knows the registry. */
export function onHost(url: string, host: string | undefined): string {
  return host === undefined ? url : host + url.slice(Math.max(0, url.indexOf('/')))
}

export function parseData<T extends z.ZodType>(schema: T, data: unknown): z.output<T> {
  const parsed = schema.safeParse(data, { error: issueText })
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const path = ['body', 'data', ...(issue?.path ?? [])].join('.')
  throw fieldError(400, 'INVALID_REQUEST', path, issue?.message ?? 'is invalid')
}

type PushedManifest = {
  readonly host: string
  readonly repository: string
  readonly tag?: string | undefined
  readonly digest?: string | undefined
}

function toPush({ host, repository, tag, digest }: PushedManifest): Push {
  const valid = validDigest(digest)
  const suffix = tag === undefined || tag === '' ? (valid ? `@${valid}` : '') : `:${tag}`
  return { image: `${host}/${repository}${suffix}`, digest: valid }
}

function validDigest(digest: string | undefined): string | undefined {
  return digest !== undefined && isDigest(digest) ? digest : undefined
}
