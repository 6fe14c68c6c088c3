import type { FastifyReply } from 'fastify'
import { isDigest } from '../oci/digest.ts'
import { isTag } from '../oci/reference.ts'
import { algorithmOf, type ContentDigest, contentDigestOf } from './content-digest.ts'
import { parseDigest } from './endpoint.ts'
import { DistributionError } from './errors.ts'
import { DIGEST_HEADER, type Exchange, methodNotAllowed, requestChunk } from './exchange.ts'
import { addToLayout, type Layout, type LayoutDraft } from './layout.ts'
import { type ManifestSummary, parseManifest } from './manifest-document.ts'
import { MAX_ENTRY_BYTES } from './quota/stored-bytes.ts'
import type { RepositoryStore } from './repository-store.ts'

/**
 * Handles `/v2/<name>/manifests/<reference>`: GET, HEAD (spec end-3), PUT (end-7), DELETE of a tag or
 * manifest (end-9).
 */
export async function handleManifest(
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
      throw methodNotAllowed(exchange.request, 'GET, HEAD, PUT, DELETE')
  }
}

/** Sends a manifest with the media type that it was pushed with. The Accept header is ignored. */
async function sendManifest(
  { request, reply, repositories }: Exchange,
  repository: string,
  reference: string,
): Promise<FastifyReply> {
  const layout = await repositories.readLayout(repository)
  const digest = layout && findDigest(layout, reference)
  const entry = digest && layout.manifests.get(digest)
  const file = entry && (await repositories.openBlob(repository, digest))
  if (file === undefined) throw unknownManifest(repository, reference)
  try {
    reply.headers({
      [DIGEST_HEADER]: digest,
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
  const isByDigest = isDigestReference(reference)
  if (!isByDigest && !isTag(reference)) {
    const message = `${JSON.stringify(reference.slice(0, 200))} is neither a tag nor a digest`
    throw new DistributionError('MANIFEST_INVALID', 400, message)
  }
  const expected = isByDigest ? parseDigest(reference) : undefined
  const bytes = await readBody(exchange)
  const mediaType = (request.headers['content-type'] ?? '').split(';', 1).join('').trim().toLowerCase()
  const summary = parseManifest(bytes, mediaType)
  const digest = contentDigestOf(bytes, expected && algorithmOf(expected))
  if (expected !== undefined && expected !== digest) {
    const message = `the manifest has the digest ${digest}, not ${expected}`
    throw new DistributionError('DIGEST_INVALID', 400, message, { detail: { received: digest } })
  }
  // Checked here as well as in the update, so that a rejected push does not create the repository.
  await assertReferencesExist(repositories, repository, summary, await repositories.readLayout(repository))
  const isNew = (await repositories.blobSize(repository, digest)) === undefined
  const creationBytes = await repositories.creationBytes(repository)
  using room = await exchange.quota.room(exchange.sender.project)
  const blobBytes = isNew ? bytes.length : 0
  room.reserve(blobBytes + creationBytes + MAX_ENTRY_BYTES)
  await repositories.create(repository, exchange.sender.project)
  await repositories.updateLayout(repository, async (draft) => {
    await assertReferencesExist(repositories, repository, summary, draft)
    const { subject } = summary
    const entry = { mediaType, size: bytes.length, ...(subject !== undefined && { subject }) }
    addToLayout(draft, digest, entry, isByDigest ? undefined : reference)
    await repositories.writeBlob(repository, digest, bytes, () => room.release(blobBytes))
  })
  reportChange(exchange, repository, isByDigest ? undefined : reference, digest)
  if (!isByDigest)
    exchange.onPush?.({ repository, tag: reference, digest, annotations: summary.annotations ?? {} })
  if (summary.subject !== undefined) reply.header('oci-subject', summary.subject)
  return reply
    .code(201)
    .headers({ location: `/v2/${repository}/manifests/${digest}`, [DIGEST_HEADER]: digest })
    .send()
}

/**
 * Checks that the repository has all referenced content.
 * @throws DistributionError MANIFEST_BLOB_UNKNOWN, MANIFEST_INVALID
 */
async function assertReferencesExist(
  repositories: RepositoryStore,
  repository: string,
  { kind, references }: ManifestSummary,
  layout: Layout | undefined,
): Promise<void> {
  for (const { digest, size } of references) {
    const isIndex = kind === 'index'
    const storedSize = isIndex
      ? layout?.manifests.get(digest)?.size
      : await repositories.blobSize(repository, digest)
    const detail = { digest }
    if (storedSize === undefined) {
      const message = `the repository ${repository} does not have the ${isIndex ? 'manifest' : 'blob'} ${digest}; push it first`
      throw new DistributionError('MANIFEST_BLOB_UNKNOWN', 404, message, { detail })
    }
    if (storedSize !== size) {
      const message = `${digest} has ${storedSize} bytes, but its descriptor has the size ${size}`
      throw new DistributionError('MANIFEST_INVALID', 400, message, { detail })
    }
  }
}

async function deleteManifest(
  exchange: Exchange,
  repository: string,
  reference: string,
): Promise<FastifyReply> {
  const { reply, repositories } = exchange
  const removed = await repositories.updateLayout(
    repository,
    async (draft) => removeFromLayout(draft, repository, reference),
    async ({ digest }) => {
      if (digest !== undefined) await repositories.removeBlob(repository, digest)
    },
  )
  for (const tag of removed.tags) reportChange(exchange, repository, tag, undefined)
  if (removed.digest !== undefined) reportChange(exchange, repository, undefined, removed.digest)
  return reply.code(202).send()
}

/** Reports a change of content that the broker can name: it has no sha512 digests. */
function reportChange(
  { onChange }: Exchange,
  repository: string,
  tag: string | undefined,
  digest: ContentDigest | undefined,
): void {
  if (tag !== undefined) onChange?.({ repository, tag })
  else if (digest !== undefined && isDigest(digest)) onChange?.({ repository, digest })
}

/** Removes a tag, or a manifest with its tags. Returns the removed tags, and the digest of a removed manifest. */
function removeFromLayout(
  draft: LayoutDraft,
  repository: string,
  reference: string,
): { readonly tags: readonly string[]; readonly digest?: ContentDigest } {
  const digest = findDigest(draft, reference)
  if (digest === undefined || !draft.manifests.has(digest)) throw unknownManifest(repository, reference)
  if (!isDigestReference(reference)) {
    draft.tags.delete(reference)
    return { tags: [reference] }
  }
  draft.manifests.delete(digest)
  const tags = [...draft.tags].filter(([, tagged]) => tagged === digest).map(([tag]) => tag)
  for (const tag of tags) draft.tags.delete(tag)
  return { tags, digest }
}

/**
 * Returns the digest that a reference is or that a tag points to.
 * @throws DistributionError DIGEST_INVALID
 */
function findDigest(layout: Layout, reference: string): ContentDigest | undefined {
  return isDigestReference(reference) ? parseDigest(reference) : layout.tags.get(reference)
}

/** Whether a reference can only be a digest: a tag contains no colon. */
function isDigestReference(reference: string): boolean {
  return reference.includes(':')
}

/** Reads the whole body into memory. @throws DistributionError SIZE_INVALID (413) above the limit */
async function readBody({ request, maxManifestBytes }: Exchange): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxManifestBytes)
    throw manifestTooLarge(maxManifestBytes)
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of requestChunk(request).bytes) {
    size += piece.length
    if (size > maxManifestBytes) throw manifestTooLarge(maxManifestBytes)
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

function manifestTooLarge(maxManifestBytes: number): DistributionError {
  const message = `the manifest is larger than the limit of ${maxManifestBytes} bytes`
  return new DistributionError('SIZE_INVALID', 413, message)
}

function unknownManifest(repository: string, reference: string): DistributionError {
  const shortened = reference.slice(0, 200)
  const message = `the repository ${repository} does not have the manifest ${JSON.stringify(shortened)}`
  return new DistributionError('MANIFEST_UNKNOWN', 404, message, { detail: { reference: shortened } })
}
