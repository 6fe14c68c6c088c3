import { z } from 'zod'
import { isDigest } from '../../oci/digest.ts'
import { isManifestType } from '../../oci/media-types.ts'
import { fieldError } from '../problem.ts'
import type { Push } from './trigger.ts'

/** More in one message is sent by nobody. */
const MOST = 1000
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
      .max(MOST),
  })
  .meta({
    id: 'DistributionNotification',
    description: 'What a distribution registry sends to its endpoints.',
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

/** Webhooks of Harbor 2 in its own format; acceld takes the same. */
export const HarborWebhook = z
  .object({
    type: Text,
    event_data: z
      .object({
        resources: z
          .array(z.object({ resource_url: Text, digest: Text.optional(), tag: Text.optional() }))
          .max(MOST),
      })
      .optional(),
  })
  .meta({
    id: 'HarborWebhook',
    description: 'What Harbor sends to webhook endpoints in its default format.',
    examples: [
      {
        type: 'PUSH_ARTIFACT',
        event_data: {
          resources: [{ resource_url: 'registry.example/team/app:1.0', digest: EXAMPLE_DIGEST, tag: '1.0' }],
        },
      },
    ],
  })

/** CloudEvents 1.0 in JSON, as zot (`zotregistry.image.updated`) and Harbor (`harbor.artifact.pushed`) send them. */
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

/** @param host the name by which the registry is known here, where the sender's own is another one */
export function pushesOfDistribution(
  { events }: z.infer<typeof DistributionNotification>,
  host: string | undefined,
): Push[] {
  return events.flatMap(({ action, target, request }) => {
    const { mediaType, repository, tag, digest } = target
    const at = host ?? request?.host
    if (action !== 'push' || repository === undefined || at === undefined) return []
    if (mediaType !== undefined && !isManifestType(mediaType)) return []
    return [pushOf(at, repository, tag, digest)]
  })
}

/** Harbor tells of every pushed manifest; those without a tag have a digest in their address. */
export function pushesOfHarbor({ type, event_data }: z.infer<typeof HarborWebhook>, host?: string): Push[] {
  if (type !== 'PUSH_ARTIFACT') return []
  return (event_data?.resources ?? []).map(({ resource_url, digest }) => ({
    image:
      host === undefined ? resource_url : host + resource_url.slice(Math.max(0, resource_url.indexOf('/'))),
    digest: validDigest(digest),
  }))
}

const ZotImage = z.object({
  name: Text,
  reference: Text,
  digest: Text.optional(),
  mediaType: Text.optional(),
})
const HarborData = z.object({ resources: HarborWebhook.shape.event_data.unwrap().shape.resources })

export function pushesOfCloudEvent(
  { type, source, data }: z.infer<typeof CloudEvent>,
  host?: string,
): Push[] {
  if (type === 'harbor.artifact.pushed') {
    const { resources } = dataAs(HarborData, data)
    return pushesOfHarbor({ type: 'PUSH_ARTIFACT', event_data: { resources } }, host)
  }
  if (type !== 'zotregistry.image.updated') return []
  const { name, reference, digest } = dataAs(ZotImage, data)
  const at = host ?? source
  if (at === undefined) return []
  return [isDigest(reference) ? pushOf(at, name, undefined, reference) : pushOf(at, name, reference, digest)]
}

function dataAs<T extends z.ZodType>(schema: T, data: unknown): z.output<T> {
  const parsed = schema.safeParse(data)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const path = ['body', 'data', ...(issue?.path ?? [])].join('.')
  throw fieldError(400, 'INVALID_REQUEST', path, issue?.message ?? 'is wrong')
}

function pushOf(host: string, repository: string, tag: string | undefined, digest: string | undefined): Push {
  const valid = validDigest(digest)
  const at = tag === undefined || tag === '' ? (valid ? `@${valid}` : '') : `:${tag}`
  return { image: `${host}/${repository}${at}`, digest: valid }
}

function validDigest(digest: string | undefined): string | undefined {
  return digest !== undefined && isDigest(digest) ? digest : undefined
}
