import type { FastifyReply } from 'fastify'
import { isTag } from '../oci/reference.ts'
import { parseDigest } from './address.ts'
import { algorithmOf, type ContentDigest, contentDigestOf } from './content-digest.ts'
import { DistributionError } from './errors.ts'
import { CONTENT_DIGEST, chunkOf, type Exchange, noSuchMethod } from './exchange.ts'
import type { Layout } from './layout.ts'
import { type ManifestFacts, readManifest } from './manifest-document.ts'
import type { LayoutDraft, Repositories } from './repositories.ts'

/** `/v2/<name>/manifests/<reference>`: GET and HEAD (spec end-3), PUT (end-7), DELETE of a tag or a manifest (end-9). */
export async function answerManifest(
  exchange: Exchange,
  repository: string,
  reference: string,
): Promise<FastifyReply> {
  switch (exchange.request.method) {
    case 'GET':
    case 'HEAD':
      return sendManifest(exchange, repository, reference)
    case 'PUT':
      return putManifest(exchange, repository, reference)
    case 'DELETE':
      return deleteManifest(exchange, repository, reference)
    default:
      throw noSuchMethod(exchange, 'GET, HEAD, PUT, DELETE')
  }
}

/** The Accept header is not looked at: a manifest is served as what it was pushed as, or not at all. */
async function sendManifest(
  { request, reply, repositories }: Exchange,
  repository: string,
  reference: string,
): Promise<FastifyReply> {
  const layout = await repositories.layout(repository)
  const digest = layout && digestIn(layout, reference)
  const entry = digest && layout.manifests.get(digest)
  const file = entry && (await repositories.openBlob(repository, digest))
  if (file === undefined) throw unknownManifest(repository, reference)
  try {
    reply.headers({
      [CONTENT_DIGEST]: digest,
      'content-type': entry?.mediaType,
      'content-length': entry?.size,
      etag: `"${digest}"`,
    })
    return request.method === 'HEAD' ? reply.send() : reply.send(await file.readFile())
  } finally {
    await file.close()
  }
}

async function putManifest(exchange: Exchange, repository: string, reference: string): Promise<FastifyReply> {
  const { request, reply, repositories } = exchange
  const byDigest = reference.includes(':')
  if (!byDigest && !isTag(reference)) {
    const message = `${JSON.stringify(reference.slice(0, 200))} is neither a tag nor a digest`
    throw new DistributionError('MANIFEST_INVALID', 400, message)
  }
  const wanted = byDigest ? parseDigest(reference) : undefined
  const bytes = await readBody(exchange)
  const mediaType = (request.headers['content-type'] ?? '').split(';', 1).join('').trim().toLowerCase()
  const facts = readManifest(bytes, mediaType)
  const digest = contentDigestOf(bytes, wanted && algorithmOf(wanted))
  if (wanted !== undefined && wanted !== digest) {
    const message = `the manifest has the digest ${digest}, not ${wanted}`
    throw new DistributionError('DIGEST_INVALID', 400, message, { detail: { received: digest } })
  }
  // Checked before as well as in turn, so that a refused push makes no repository.
  await checkNeeds(repositories, repository, facts, await repositories.layout(repository))
  await repositories.prepare(repository)
  await repositories.change(repository, async (draft) => {
    await checkNeeds(repositories, repository, facts, draft)
    await repositories.writeBlob(repository, digest, bytes)
    draft.manifests.set(digest, {
      mediaType,
      size: bytes.length,
      ...(facts.subject !== undefined && { subject: facts.subject }),
    })
    if (!byDigest) draft.tags.set(reference, digest)
  })
  if (facts.subject !== undefined) reply.header('oci-subject', facts.subject)
  return reply
    .code(201)
    .headers({ location: `/v2/${repository}/manifests/${digest}`, [CONTENT_DIGEST]: digest })
    .send()
}

/** A manifest must not name content that the repository does not show. */
async function checkNeeds(
  repositories: Repositories,
  repository: string,
  facts: ManifestFacts,
  layout: Layout | undefined,
): Promise<void> {
  for (const { digest, size } of facts.needs) {
    const found =
      facts.kind === 'index'
        ? layout?.manifests.get(digest)?.size
        : await repositories.blobSize(repository, digest)
    const detail = { digest }
    if (found === undefined) {
      const message = `${repository} has no ${facts.kind === 'index' ? 'manifest' : 'blob'} ${digest}: push it first`
      throw new DistributionError('MANIFEST_BLOB_UNKNOWN', 404, message, { detail })
    }
    if (found !== size) {
      const message = `${digest} has ${found} bytes, but the manifest says ${size}`
      throw new DistributionError('MANIFEST_INVALID', 400, message, { detail })
    }
  }
}

async function deleteManifest(
  { reply, repositories }: Exchange,
  repository: string,
  reference: string,
): Promise<FastifyReply> {
  await repositories.change(
    repository,
    async (draft) => removeFrom(draft, repository, reference),
    async (digest) => {
      if (digest !== undefined) await repositories.removeBlob(repository, digest)
    },
  )
  return reply.code(202).send()
}

/** Takes away a tag, or a manifest with its tags; returns the digest whose bytes may go. */
function removeFrom(draft: LayoutDraft, repository: string, reference: string): ContentDigest | undefined {
  const digest = digestIn(draft, reference)
  if (digest === undefined || !draft.manifests.has(digest)) throw unknownManifest(repository, reference)
  if (!reference.includes(':')) {
    draft.tags.delete(reference)
    return undefined
  }
  draft.manifests.delete(digest)
  for (const [tag, tagged] of draft.tags) if (tagged === digest) draft.tags.delete(tag)
  return digest
}

function digestIn(layout: Layout, reference: string): ContentDigest | undefined {
  return reference.includes(':') ? parseDigest(reference) : layout.tags.get(reference)
}

/** The whole body in memory. @throws DistributionError SIZE_INVALID (413) above the limit */
async function readBody(exchange: Exchange): Promise<Buffer> {
  const { request, maxManifestBytes } = exchange
  const pieces: Uint8Array[] = []
  let size = Number(request.headers['content-length'] ?? 0)
  if (size <= maxManifestBytes) {
    size = 0
    for await (const piece of chunkOf(exchange).bytes) {
      size += piece.length
      if (size > maxManifestBytes) break
      pieces.push(piece)
    }
  }
  if (size <= maxManifestBytes) return Buffer.concat(pieces)
  const message = `a manifest may have ${maxManifestBytes} bytes`
  throw new DistributionError('SIZE_INVALID', 413, message)
}

function unknownManifest(repository: string, reference: string): DistributionError {
  const message = `${repository} has no manifest ${JSON.stringify(reference.slice(0, 200))}`
  return new DistributionError('MANIFEST_UNKNOWN', 404, message, {
    detail: { reference: reference.slice(0, 200) },
  })
}
