import { type Digest, hexOf } from '../../oci/digest.ts'
import { DocumentError } from '../../oci/document-error.ts'
import { type Descriptor, Index, parseDocument } from '../../oci/documents.ts'
import { isIndexType, isManifestType, OCI_INDEX } from '../../oci/media-types.ts'
import { RegistryError } from '../errors.ts'
import type { RepositorySession } from '../repository-session.ts'
import { waitBeforeRetry } from '../transport/retry.ts'
import { getManifest } from './get-manifest.ts'
import { readBack } from './read-back.ts'
import { fetchReferrers } from './referrers-api.ts'

/** Attempts to update a list that another process keeps overwriting. */
const MAX_UPDATES = 5

/** Returns the tag of the fallback list of a subject (distribution-spec 1.1, "Referrers Tag Schema"). */
function fallbackTag(subject: Digest): string {
  return `sha256-${hexOf(subject)}`
}

/**
 * Reads the fallback list of a subject; undefined if it does not exist.
 * @throws RegistryError CONFLICT and others
 */
export async function readReferrersTag(
  session: RepositorySession,
  subject: Digest,
): Promise<Index | undefined> {
  const { host, repository } = session
  const tag = fallbackTag(subject)
  const operation = `read the referrers under ${tag} of ${repository}`
  try {
    const { bytes, descriptor } = await getManifest(session, tag)
    const { mediaType } = descriptor
    if (mediaType !== OCI_INDEX) {
      const reason = `has ${mediaType} under the tag of a list of referrers`
      const isManifest = isManifestType(mediaType) || isIndexType(mediaType)
      throw new RegistryError(isManifest ? 'CONFLICT' : 'INVALID_RESPONSE', { operation, host, reason })
    }
    return parseDocument(Index, bytes, 'the list of referrers')
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'NOT_FOUND') return undefined
    if (!(error instanceof DocumentError)) throw error
    const reason = `responded with an invalid list: ${error.message}`
    throw new RegistryError('INVALID_RESPONSE', { operation, host, reason })
  }
}

/**
 * Adds a manifest to the fallback list of its subject, unless the registry has the referrers API.
 * @throws RegistryError
 */
export function addReferrer(
  session: RepositorySession,
  subject: Digest,
  referrer: Descriptor,
): Promise<void> {
  return updateList(session, subject, {
    isApplied: (list) => list.some(({ digest }) => digest === referrer.digest),
    apply: (list) => [...list, referrer],
  })
}

/**
 * Removes a manifest from the fallback list of its subject, unless the registry has the API.
 * @throws RegistryError
 */
export function removeReferrer(session: RepositorySession, subject: Digest, referrer: Digest): Promise<void> {
  return updateList(session, subject, {
    isApplied: (list) => list.every(({ digest }) => digest !== referrer),
    apply: (list) => list.filter(({ digest }) => digest !== referrer),
  })
}

type ListUpdate = {
  readonly isApplied: (list: readonly Descriptor[]) => boolean
  readonly apply: (list: readonly Descriptor[]) => Descriptor[]
}

/**
 * Updates a fallback list, one update per subject at a time in this process. Registries have no
 * compare-and-set, so the list is read back: another process may have overwritten the update.
 */
async function updateList(session: RepositorySession, subject: Digest, update: ListUpdate): Promise<void> {
  const { registry, repository, signal } = session
  const reading = session.withAccess('pull')
  const { referrers } = await fetchReferrers(reading, subject)
  if (referrers !== undefined) return
  const read = () => readReferrersTag(reading, subject)
  const isApplied = (list: Index | undefined) => update.isApplied(list?.manifests ?? [])
  await registry.referrerLists.run(`${repository}@${subject}`, async () => {
    for (let attempt = 1; ; attempt++) {
      const before = await read()
      if (isApplied(before)) return
      if (attempt > MAX_UPDATES) {
        throw conflict(session, subject, `lost all ${MAX_UPDATES} updates of the list to another writer`)
      }
      const manifests = update.apply(before?.manifests ?? [])
      await writeList(session, subject, { ...before, schemaVersion: 2, mediaType: OCI_INDEX, manifests })
      // An unchanged list means that the registry is late; any other list without the update is that of
      // another writer.
      const isStale = (list: Index | undefined) => !isApplied(list) && digestsOf(list) === digestsOf(before)
      const { state, reads, seconds } = await readBack(reading, read, isStale)
      if (isStale(state)) {
        const visible = before === undefined ? 'no list' : 'the previous list'
        const reason = `accepted a new list, but returned ${visible} ${reads} times in ${seconds} seconds`
        throw conflict(session, subject, reason)
      }
      if (isApplied(state)) return
      await waitBeforeRetry(undefined, attempt, registry.retry, signal)
    }
  })
}

function digestsOf(list: Index | undefined): string {
  return (list?.manifests ?? []).map(({ digest }) => digest).join()
}

async function writeList(session: RepositorySession, subject: Digest, list: Index): Promise<void> {
  const tag = fallbackTag(subject)
  const request = session.withAccess('push').request({
    operation: `put the referrers under ${tag} of ${session.repository}`,
    method: 'PUT',
    target: `manifests/${tag}`,
    headers: { 'content-type': OCI_INDEX },
    body: Buffer.from(JSON.stringify(list)),
    expect: [200, 201, 202, 204],
  })
  await session.registry.send(request)
}

function conflict({ host, repository }: RepositorySession, subject: Digest, reason: string): RegistryError {
  const operation = `list a referrer of ${subject} in ${repository}`
  return new RegistryError('CONFLICT', { operation, host, reason, retryable: true })
}
