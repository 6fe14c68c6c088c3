import type { Digest } from '../../oci/digest.ts'
import type { RepositorySession } from '../repository-session.ts'
import { blobRequest, invalidBlobResponse, parseContentRange } from './blob-request.ts'

/**
 * Returns the size of a blob in bytes; undefined if the repository does not have it.
 * @throws RegistryError
 */
export async function getBlobSize(session: RepositorySession, digest: Digest): Promise<number | undefined> {
  const { registry } = session
  const request = blobRequest(session, digest)
  // Storage that signs its addresses for GET alone responds 403 to a redirected HEAD.
  const head = await registry.send({ ...request, method: 'HEAD', expect: [200, 403, 404, 405] })
  if (head.status === 404) return undefined
  if (head.status === 200 && head.length !== undefined) return head.length
  const headers = { range: 'bytes=0-0' }
  const response = await registry.open({ ...request, headers, expect: [200, 206, 404, 416] })
  if (response.status === 200) response.body.destroy()
  else await response.discard()
  if (response.status === 404) return undefined
  const size = response.status === 200 ? response.length : parseContentRange(response)?.total
  if (size === undefined) throw invalidBlobResponse(request, 'does not report the size of the blob')
  return size
}
