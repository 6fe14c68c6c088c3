import { type Digest, hexOf } from '../oci/digest.ts'
import { type Descriptor, DocumentError, Index, parseDocument } from '../oci/documents.ts'
import { OCI_INDEX } from '../oci/media-types.ts'
import { RegistryError } from './errors.ts'
import { pages } from './links.ts'
import { getManifest } from './manifests.ts'
import type { RegistryHost } from './registry-host.ts'
import { pauseBeforeRetry } from './retry.ts'
import { pullScope, pushScope } from './scopes.ts'

/** Changes of a fallback list that another process overwrote. */
const LIST_TRIES = 5

/** The tag that lists the referrers of a subject where there is no API (distribution-spec 1.1, "Referrers Tag Schema"). */
function fallbackTag(subject: Digest): string {
  return `sha256-${hexOf(subject)}`
}

/** The manifests that refer to a subject; only those of one artifact type when it is given. */
export async function listReferrers(
  registry: RegistryHost,
  repository: string,
  subject: Digest,
  options: { artifactType?: string | undefined; signal?: AbortSignal | undefined },
): Promise<Descriptor[]> {
  const { artifactType, signal } = options
  const listed = await fromApi(registry, repository, subject, options)
  const all = listed ?? (await fromTag(registry, repository, subject, signal))
  // Registries may ignore the filter, and say so or not.
  return artifactType === undefined ? all : all.filter((one) => one.artifactType === artifactType)
}

/** Undefined: this registry has no referrers API. */
async function fromApi(
  registry: RegistryHost,
  repository: string,
  subject: Digest,
  options: { artifactType?: string | undefined; signal?: AbortSignal | undefined },
): Promise<Descriptor[] | undefined> {
  const filter = options.artifactType && `?${new URLSearchParams({ artifactType: options.artifactType })}`
  const request = {
    operation: `list the referrers of ${subject} in ${repository}`,
    method: 'GET' as const,
    url: `/v2/${repository}/referrers/${subject}${filter ?? ''}`,
    scopes: [pullScope(repository)],
    headers: { accept: OCI_INDEX },
    expect: [200, 400, 404, 405],
    signal: options.signal,
  }
  const found: Descriptor[] = []
  for await (const { answer, bytes } of pages(registry, request)) {
    const type = answer.header('content-type')?.split(';')[0]?.trim()
    // Some servers answer any unknown path with a page of their own.
    if (answer.status !== 200 || (type !== OCI_INDEX && type !== 'application/json')) return undefined
    found.push(...indexIn(bytes, request.operation, registry.host).manifests)
  }
  return found
}

async function fromTag(
  registry: RegistryHost,
  repository: string,
  subject: Digest,
  signal: AbortSignal | undefined,
): Promise<Descriptor[]> {
  return (await readList(registry, repository, subject, signal))?.manifests ?? []
}

async function readList(
  registry: RegistryHost,
  repository: string,
  subject: Digest,
  signal: AbortSignal | undefined,
): Promise<Index | undefined> {
  const tag = fallbackTag(subject)
  try {
    const { bytes, descriptor } = await getManifest(registry, repository, tag, signal)
    const operation = `read the referrers under ${tag} of ${repository}`
    if (descriptor.mediaType !== OCI_INDEX) {
      const why = `holds ${descriptor.mediaType} where a list of referrers belongs`
      throw new RegistryError('CONFLICT', { operation, host: registry.host, why })
    }
    return indexIn(bytes, operation, registry.host)
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}

function indexIn(bytes: Buffer, operation: string, host: string): Index {
  try {
    return parseDocument(Index, bytes, 'the list of referrers')
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error
    throw new RegistryError('INVALID_RESPONSE', { operation, host, why: `answered: ${error.message}` })
  }
}

/** Adds a manifest to the fallback list of its subject, unless the registry has the API after all. */
export function addReferrer(
  registry: RegistryHost,
  repository: string,
  subject: Digest,
  referrer: Descriptor,
  signal?: AbortSignal,
): Promise<void> {
  const isListed = (list: readonly Descriptor[]) => list.some(({ digest }) => digest === referrer.digest)
  return changeList(registry, repository, subject, signal, {
    holds: isListed,
    apply: (list) => [...list, referrer],
  })
}

/** Takes a manifest off the fallback list of its subject, unless the registry has the API. */
export function removeReferrer(
  registry: RegistryHost,
  repository: string,
  subject: Digest,
  referrer: Digest,
  signal?: AbortSignal,
): Promise<void> {
  return changeList(registry, repository, subject, signal, {
    holds: (list) => list.every(({ digest }) => digest !== referrer),
    apply: (list) => list.filter(({ digest }) => digest !== referrer),
  })
}

/**
 * Changes a fallback list, one change of a subject at a time in this process. Registries have no
 * compare-and-set, so the list is read again afterwards: another process may have overwritten the change.
 */
async function changeList(
  registry: RegistryHost,
  repository: string,
  subject: Digest,
  signal: AbortSignal | undefined,
  change: {
    holds: (list: readonly Descriptor[]) => boolean
    apply: (list: readonly Descriptor[]) => Descriptor[]
  },
): Promise<void> {
  if ((await fromApi(registry, repository, subject, { signal })) !== undefined) return
  await registry.referrerLists.run(`${repository}@${subject}`, async () => {
    for (let attempt = 1; ; attempt++) {
      const list = await readList(registry, repository, subject, signal)
      const manifests = list?.manifests ?? []
      if (change.holds(manifests)) return
      if (attempt > LIST_TRIES) {
        const operation = `list a referrer of ${subject} in ${repository}`
        const why = 'lost the change each time to another writer'
        throw new RegistryError('CONFLICT', { operation, host: registry.host, why, retryable: true })
      }
      if (attempt > 1) await pauseBeforeRetry(undefined, attempt, registry.retry, signal)
      const changed = { ...list, schemaVersion: 2, mediaType: OCI_INDEX, manifests: change.apply(manifests) }
      await writeList(registry, repository, subject, Buffer.from(JSON.stringify(changed)), signal)
    }
  })
}

async function writeList(
  registry: RegistryHost,
  repository: string,
  subject: Digest,
  body: Buffer,
  signal: AbortSignal | undefined,
): Promise<void> {
  const tag = fallbackTag(subject)
  await registry.tell({
    operation: `put the referrers under ${tag} of ${repository}`,
    method: 'PUT',
    url: `/v2/${repository}/manifests/${tag}`,
    scopes: [pushScope(repository)],
    headers: { 'content-type': OCI_INDEX },
    body,
    expect: [200, 201, 202, 204],
    signal,
  })
}
