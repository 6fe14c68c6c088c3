import type { Digest } from '../../oci/digest.ts'
import type { Descriptor } from '../../oci/documents.ts'
import type { RegistryHost } from '../host.ts'
import { fetchReferrers } from './referrers-api.ts'
import { readList } from './referrers-tag.ts'

/**
 * The manifests that refer to a subject; only those of one artifact type when it is given.
 * @throws RegistryError: what the registry did not say is no empty list
 */
export async function listReferrers(
  registry: RegistryHost,
  repository: string,
  subject: Digest,
  options: { artifactType?: string | undefined; signal?: AbortSignal | undefined },
): Promise<Descriptor[]> {
  const { artifactType, signal } = options
  const api = await fetchReferrers(registry, repository, subject, options)
  const all = api.list ?? (await readList(registry, repository, subject, signal))?.manifests
  if (all === undefined && api.doubt !== undefined) throw api.doubt
  // Registries may ignore the filter, and say so or not.
  return artifactType === undefined
    ? (all ?? [])
    : (all ?? []).filter((one) => one.artifactType === artifactType)
}
