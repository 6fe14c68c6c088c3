import { z } from 'zod'
import type { Digest } from '../../oci/digest.ts'
import { Descriptor } from '../../oci/documents.ts'
import { OCI_INDEX } from '../../oci/media-types.ts'
import type { RegistryError } from '../errors.ts'
import { paginate } from '../pagination.ts'
import type { RepositorySession } from '../repository-session.ts'
import { invalidResponse, parseResponse } from '../transport/invalid-response.ts'
import { responseError } from '../transport/response-error.ts'

/** Statuses of registries without the referrers API: 404 by distribution-spec 1.1, the others as observed. */
const NO_API_STATUSES: readonly number[] = [400, 404, 405]
const NOT_IMPLEMENTED = 501
const MAX_ERROR_BODY_BYTES = 64 * 1024

/**
 * The listed part of an index. Some registries return null for an empty list. One without `manifests` is
 * invalid.
 */
const ReferrerList = z.looseObject({ schemaVersion: z.literal(2), manifests: z.array(Descriptor).nullable() })

/** The result of the referrers API. */
export type ReferrersApiResult = {
  /** Undefined if the registry has no referrers API, or may have none: the fallback tag applies. */
  readonly referrers?: Descriptor[]
  /**
   * Why the registry may have no API. A missing fallback tag then does not mean that there are no referrers.
   */
  readonly uncertainty?: RegistryError
}

/** Queries the referrers API. @throws RegistryError if the API exists and does not return a list */
export async function fetchReferrers(
  session: RepositorySession,
  subject: Digest,
  artifactType?: string,
): Promise<ReferrersApiResult> {
  const query = artifactType ? `?${new URLSearchParams({ artifactType })}` : ''
  const request = session.request({
    operation: `list the referrers of ${subject} in ${session.repository}`,
    method: 'GET',
    target: `referrers/${subject}${query}`,
    headers: { accept: OCI_INDEX },
    expect: [200, ...NO_API_STATUSES, NOT_IMPLEMENTED],
  })
  const referrers: Descriptor[] = []
  for await (const page of paginate(session.registry, request)) {
    const { response, bytes } = page
    const { status } = response
    if (NO_API_STATUSES.includes(status)) return {}
    if (status === NOT_IMPLEMENTED) {
      const body = bytes.subarray(0, MAX_ERROR_BODY_BYTES).toString('utf8')
      return { uncertainty: responseError({ status, retryAfter: undefined, body }, request) }
    }
    const type = response.header('content-type')?.split(';')[0]?.trim()
    // Some servers respond to any unknown path with a page of their own.
    if (type !== OCI_INDEX && type !== 'application/json') {
      return { uncertainty: invalidResponse(page, 'no list of referrers', request) }
    }
    referrers.push(...(parseResponse(ReferrerList, page, 'a list of referrers', request).manifests ?? []))
  }
  return { referrers }
}
