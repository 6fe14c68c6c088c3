import type { FastifyReply, FastifyRequest } from 'fastify'
import { OCI_INDEX } from '../oci/media-types.ts'
import type { ContentDigest } from './content-digest.ts'
import { DistributionError } from './errors.ts'
import { type Exchange, methodNotAllowed, queryParameter } from './exchange.ts'
import { parseManifest } from './manifest-document.ts'

/** The largest page of the catalog. */
const MAX_CATALOG_PAGE = 1000

/**
 * Handles `GET /v2/_catalog` (Docker Registry HTTP API V2 "Listing Repositories"), with `n` and `last`: the
 * repositories that the sender may read.
 */
export async function handleCatalog({
  request,
  reply,
  repositories,
  sender,
}: Exchange): Promise<FastifyReply> {
  assertGet(request)
  const readable = (await repositories.list()).filter((name) => sender.mayPull(name))
  return reply.send({ repositories: paginate(request, reply, readable, MAX_CATALOG_PAGE) })
}

/** Handles `GET /v2/<name>/tags/list` (spec end-8), with `n` and `last`. */
export async function handleTags(
  { request, reply, repositories }: Exchange,
  repository: string,
): Promise<FastifyReply> {
  assertGet(request)
  const layout = await repositories.readLayout(repository)
  if (layout === undefined)
    throw new DistributionError('NAME_UNKNOWN', 404, `the repository ${repository} does not exist`)
  return reply.send({ name: repository, tags: paginate(request, reply, [...layout.tags.keys()]) })
}

/**
 * Handles `GET /v2/<name>/referrers/<digest>` (spec end-12), with `artifactType`. A repository or digest that
 * does not exist has no referrers: 404 would mean that this API is missing.
 */
export async function handleReferrers(
  { request, reply, repositories }: Exchange,
  repository: string,
  subject: ContentDigest,
): Promise<FastifyReply> {
  assertGet(request)
  const filter = queryParameter(request, 'artifactType')
  const manifests: unknown[] = []
  for (const [digest, entry] of (await repositories.readLayout(repository))?.manifests ?? []) {
    if (entry.subject !== subject) continue
    const file = await repositories.openBlob(repository, digest)
    // Deleted after the layout was read.
    if (file === undefined) continue
    try {
      const { artifactType, annotations } = parseManifest(await file.readFile(), entry.mediaType)
      if (filter !== undefined && artifactType !== filter) continue
      manifests.push({ mediaType: entry.mediaType, digest, size: entry.size, artifactType, annotations })
    } finally {
      await file.close()
    }
  }
  if (filter !== undefined) reply.header('oci-filters-applied', 'artifactType')
  // Sent as bytes: Fastify would add a charset to the type, which has no such parameter.
  return reply
    .type(OCI_INDEX)
    .send(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests })))
}

function assertGet(request: FastifyRequest): void {
  if (!['GET', 'HEAD'].includes(request.method)) throw methodNotAllowed(request, 'GET')
}

/**
 * The spec's "lexical order (i.e. case-insensitive alphanumeric order)"; names that differ in case only, by
 * code unit.
 */
function compareNames(a: string, b: string): number {
  const [lowerA, lowerB] = [a.toLowerCase(), b.toLowerCase()]
  const [left, right] = lowerA === lowerB ? [a, b] : [lowerA, lowerB]
  return left < right ? -1 : left > right ? 1 : 0
}

/**
 * Returns up to `n` names after `last`, and `maxLength` at most. If more follow, adds a Link header (RFC 8288) to the
 * next page.
 */
function paginate(
  request: FastifyRequest,
  reply: FastifyReply,
  names: readonly string[],
  maxLength = Number.POSITIVE_INFINITY,
): string[] {
  const last = queryParameter(request, 'last')
  const limit = queryParameter(request, 'n')
  if (limit !== undefined && !/^\d{1,9}$/.test(limit))
    throw new DistributionError('UNSUPPORTED', 400, 'n must be a number of 1 to 9 digits')
  const sorted = names.toSorted(compareNames)
  const following = last === undefined ? sorted : sorted.filter((name) => compareNames(name, last) > 0)
  const length = Math.min(Number(limit ?? maxLength), maxLength)
  const page = following.slice(0, length)
  const end = page.at(-1)
  if (end !== undefined && page.length < following.length) {
    const path = request.url.split('?', 1).join('')
    reply.header('link', `<${path}?n=${length}&last=${encodeURIComponent(end)}>; rel="next"`)
  }
  return page
}
