import type { Digest } from '../../oci/digest.ts'
import type { Descriptor } from '../../oci/documents.ts'
import type { RepositorySession } from '../repository-session.ts'
import { fetchReferrers } from './referrers-api.ts'
import { readReferrersTag } from './referrers-tag.ts'

/**
 * Lists the manifests whose subject is `subject`, from the referrers API or else the fallback tag.
 * @param artifactType the only artifact type to return; default: all
 * @throws RegistryError also if it is uncertain whether the registry has referrers: that is not an empty list
 */
export async function listReferrers(
  session: RepositorySession,
  subject: Digest,
  artifactType: string | undefined,
): Promise<Descriptor[]> {
  const { referrers, uncertainty } = await fetchReferrers(session, subject, artifactType)
  const all = referrers ?? (await readReferrersTag(session, subject))?.manifests
  if (all === undefined && uncertainty !== undefined) throw uncertainty
  // A registry may ignore the filter, with or without saying so.
  return (all ?? []).filter(
    (referrer) => artifactType === undefined || referrer.artifactType === artifactType,
  )
}
