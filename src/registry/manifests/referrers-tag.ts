import { type Digest, hexOf } from '../../oci/digest.ts'
import { type Descriptor, DocumentError, Index, parseDocument } from '../../oci/documents.ts'
import { isIndexType, isManifestType, OCI_INDEX } from '../../oci/media-types.ts'
import { pushScope } from '../auth/scopes.ts'
import { RegistryError } from '../errors.ts'
import type { RegistryHost } from '../host.ts'
import { pauseBeforeRetry } from '../transport/retry.ts'
import { getManifest } from './manifests.ts'
import { readBack } from './read-back.ts'
import { fetchReferrers } from './referrers-api.ts'

/** Changes of a fallback list that another process overwrote. */
const LIST_TRIES = 5

/** The tag that lists the referrers of a subject where there is no API (distribution-spec 1.1, "Referrers Tag Schema"). */
function fallbackTag(subject: Digest): string {
  return `sha256-${hexOf(subject)}`
}

/** The list under the fallback tag of a subject; undefined when there is none. @throws RegistryError */
export async function readList(
  registry: RegistryHost,
  repository: string,
  subject: Digest,
  signal: AbortSignal | undefined,
): Promise<Index | undefined> {
  const tag = fallbackTag(subject)
  const operation = `read the referrers under ${tag} of ${repository}`
  const { host } = registry
  try {
    const { bytes, descriptor } = await getManifest(registry, repository, tag, signal)
    if (descriptor.mediaType !== OCI_INDEX) {
      const why = `holds ${descriptor.mediaType} where a list of referrers belongs`
      const isDocument = isManifestType(descriptor.mediaType) || isIndexType(descriptor.mediaType)
      throw new RegistryError(isDocument ? 'CONFLICT' : 'INVALID_RESPONSE', { operation, host, why })
    }
    return parseDocument(Index, bytes, 'the list of referrers')
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'NOT_FOUND') return undefined
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

type Change = {
  readonly holds: (list: readonly Descriptor[]) => boolean
  readonly apply: (list: readonly Descriptor[]) => Descriptor[]
}

/**
 * Changes a fallback list, one change of a subject at a time in this process. Registries have no
 * compare-and-set, so the list is read back: another process may have overwritten the change.
 */
async function changeList(
  registry: RegistryHost,
  repository: string,
  subject: Digest,
  signal: AbortSignal | undefined,
  change: Change,
): Promise<void> {
  const api = await fetchReferrers(registry, repository, subject, { signal })
  if (api.list !== undefined) return
  const read = () => readList(registry, repository, subject, signal)
  const holds = (list: Index | undefined) => change.holds(list?.manifests ?? [])
  const failure = (why: string) => {
    const operation = `list a referrer of ${subject} in ${repository}`
    return new RegistryError('CONFLICT', { operation, host: registry.host, why, retryable: true })
  }
  await registry.referrerLists.run(`${repository}@${subject}`, async () => {
    for (let attempt = 1; ; attempt++) {
      const before = await read()
      if (holds(before)) return
      if (attempt > LIST_TRIES) throw failure('lost the change each time to another writer')
      const manifests = change.apply(before?.manifests ?? [])
      const changed = { ...before, schemaVersion: 2, mediaType: OCI_INDEX, manifests }
      await writeList(registry, repository, subject, Buffer.from(JSON.stringify(changed)), signal)
      // The list from before the change is one that the registry shows late; any other one is somebody else's.
      const isLate = (list: Index | undefined) => !holds(list) && namesOf(list) === namesOf(before)
      const { found, looks, seconds } = await readBack(read, isLate, registry.retry, signal)
      if (isLate(found)) {
        const shown = before === undefined ? 'none' : 'the one before'
        throw failure(`took a new list, and showed ${shown} ${looks} times in ${seconds} seconds`)
      }
      if (holds(found)) return
      await pauseBeforeRetry(undefined, attempt, registry.retry, signal)
    }
  })
}

function namesOf(list: Index | undefined): string {
  return (list?.manifests ?? []).map(({ digest }) => digest).join()
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
