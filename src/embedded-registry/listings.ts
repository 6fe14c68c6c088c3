import type { FastifyReply } from 'fastify'
import { OCI_INDEX } from '../oci/media-types.ts'
import type { ContentDigest } from './content-digest.ts'
import { DistributionError } from './errors.ts'
import { type Exchange, noSuchMethod, queryOf } from './exchange.ts'
import { readManifest } from './manifest-document.ts'

/** `GET /v2/_catalog` (Docker Registry HTTP API V2 "Listing Repositories"), with `n` and `last`. */
export async function answerCatalog(exchange: Exchange): Promise<FastifyReply> {
  onlyGet(exchange)
  return exchange.reply.send({ repositories: pageOf(exchange, await exchange.repositories.names()) })
}

/** `GET /v2/<name>/tags/list` (spec end-8), with `n` and `last`. */
export async function answerTags(exchange: Exchange, repository: string): Promise<FastifyReply> {
  onlyGet(exchange)
  const layout = await exchange.repositories.layout(repository)
  if (layout === undefined)
    throw new DistributionError('NAME_UNKNOWN', 404, `there is no repository ${repository}`)
  return exchange.reply.send({ name: repository, tags: pageOf(exchange, [...layout.tags.keys()]) })
}

/**
 * `GET /v2/<name>/referrers/<digest>` (spec end-12), with `artifactType`. A repository or digest that is not there has
 * no referrers: 404 would say that this API is missing.
 */
export async function answerReferrers(
  exchange: Exchange,
  repository: string,
  subject: ContentDigest,
): Promise<FastifyReply> {
  onlyGet(exchange)
  const { reply, repositories } = exchange
  const wanted = queryOf(exchange, 'artifactType')
  const manifests: unknown[] = []
  for (const [digest, entry] of (await repositories.layout(repository))?.manifests ?? []) {
    if (entry.subject !== subject) continue
    const file = await repositories.openBlob(repository, digest)
    // Deleted since the layout was read.
    if (file === undefined) continue
    try {
      const { artifactType, annotations } = readManifest(await file.readFile(), entry.mediaType)
      if (wanted !== undefined && artifactType !== wanted) continue
      manifests.push({ mediaType: entry.mediaType, digest, size: entry.size, artifactType, annotations })
    } finally {
      await file.close()
    }
  }
  if (wanted !== undefined) reply.header('oci-filters-applied', 'artifactType')
  // As bytes: a serializer would add a charset to the type, which is no parameter of it.
  return reply
    .type(OCI_INDEX)
    .send(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests })))
}

function onlyGet(exchange: Exchange): void {
  if (!['GET', 'HEAD'].includes(exchange.request.method)) throw noSuchMethod(exchange, 'GET')
}

/** The spec's "lexical order (i.e. case-insensitive alphanumeric order)"; names that differ in case only by code. */
function inOrder(a: string, b: string): number {
  const [low, lowOther] = [a.toLowerCase(), b.toLowerCase()]
  const [left, right] = low === lowOther ? [a, b] : [low, lowOther]
  return left < right ? -1 : left > right ? 1 : 0
}

/** The names after `last`, at most `n`; when more follow, a Link header (RFC 8288) says where. */
function pageOf(exchange: Exchange, names: string[]): string[] {
  const last = queryOf(exchange, 'last')
  const asked = queryOf(exchange, 'n')
  if (asked !== undefined && !/^\d{1,9}$/.test(asked))
    throw new DistributionError('UNSUPPORTED', 400, 'n is not a number of entries')
  names.sort(inOrder)
  const after = last === undefined ? names : names.filter((name) => inOrder(name, last) > 0)
  if (asked === undefined) return after
  const page = after.slice(0, Number(asked))
  const end = page.at(-1)
  if (end !== undefined && page.length < after.length) {
    const path = exchange.request.url.split('?', 1).join('')
    exchange.reply.header('link', `<${path}?n=${asked}&last=${encodeURIComponent(end)}>; rel="next"`)
  }
  return page
}
