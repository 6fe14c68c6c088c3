import { z } from 'zod'
import type { Digest } from '../../oci/digest.ts'
import { Descriptor } from '../../oci/documents.ts'
import { OCI_INDEX } from '../../oci/media-types.ts'
import { pullScope } from '../auth/scopes.ts'
import type { RegistryError } from '../errors.ts'
import type { RegistryHost } from '../host.ts'
import { paginate } from '../pagination.ts'
import { invalidResponse, parseResponse } from '../transport/invalid-response.ts'
import { responseError } from '../transport/response-error.ts'

/** How registries say that they have no referrers API: 404 by distribution-spec 1.1, and what else was seen. */
const WITHOUT_API: readonly number[] = [400, 404, 405]
const NOT_IMPLEMENTED = 501
const WORDS_BYTES = 64 * 1024

/** An index, as far as it lists. One without `manifests` says nothing of them; some registries have null for none. */
const ReferrerList = z.looseObject({ schemaVersion: z.literal(2), manifests: z.array(Descriptor).nullable() })

/**
 * What the referrers API said. Without a list this registry has no such API, and the fallback tag counts. With `doubt` it
 * may have none: then a fallback tag that is there counts, and one that is not says nothing.
 */
export type ReferrersApiResult = { readonly list?: Descriptor[]; readonly doubt?: RegistryError }

/** Asks the referrers API. @throws RegistryError when it has one, and does not answer with a list */
export async function fetchReferrers(
  registry: RegistryHost,
  repository: string,
  subject: Digest,
  options: { artifactType?: string | undefined; signal?: AbortSignal | undefined },
): Promise<ReferrersApiResult> {
  const filter = options.artifactType && `?${new URLSearchParams({ artifactType: options.artifactType })}`
  const request = {
    operation: `list the referrers of ${subject} in ${repository}`,
    method: 'GET' as const,
    url: `/v2/${repository}/referrers/${subject}${filter ?? ''}`,
    scopes: [pullScope(repository)],
    headers: { accept: OCI_INDEX },
    expect: [200, ...WITHOUT_API, NOT_IMPLEMENTED],
    signal: options.signal,
  }
  const place = { operation: request.operation, host: registry.host }
  const list: Descriptor[] = []
  for await (const page of paginate(registry, request)) {
    const { answer, bytes } = page
    const { status } = answer
    if (WITHOUT_API.includes(status)) return {}
    if (status === NOT_IMPLEMENTED) {
      const body = bytes.subarray(0, WORDS_BYTES).toString('utf8')
      return { doubt: responseError({ status, retryAfter: undefined, body }, place.operation, place.host) }
    }
    const type = answer.header('content-type')?.split(';')[0]?.trim()
    // Some servers answer any unknown path with a page of their own.
    if (type !== OCI_INDEX && type !== 'application/json') {
      return { doubt: invalidResponse(answer, bytes, 'no list of referrers', place) }
    }
    list.push(...(parseResponse(ReferrerList, page, 'the list of referrers', place).manifests ?? []))
  }
  return { list }
}
