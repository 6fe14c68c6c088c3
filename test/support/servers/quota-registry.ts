import type { FastifyRequest } from 'fastify'
import { ANYONE } from '../../../src/embedded-registry/guard/sender.ts'
import { EMPTY_LAYOUT, formatLayout } from '../../../src/embedded-registry/layout.ts'
import { REPOSITORY_BYTES } from '../../../src/embedded-registry/quota/stored-bytes.ts'
import { digestOf } from '../../../src/oci/digest.ts'
import { OCI_MANIFEST } from '../../../src/oci/media-types.ts'
import { TestRegistry } from './test-registry.ts'

/** The bytes that the project `small` may store. The others have no limit. */
export const SMALL_LIMIT = 100_000
/** What a repository without content counts. */
export const EMPTY_REPOSITORY: number = REPOSITORY_BYTES + (await formatLayout(EMPTY_LAYOUT)).length

/** The project is the caller. */
const senderOf = ({ headers }: FastifyRequest) => ({
  ...ANYONE,
  project: String(headers.authorization ?? 'default'),
})
const storageLimit = async (project: string) => (project === 'small' ? SMALL_LIMIT : undefined)

/** Starts an embedded registry with requests for projects by name. */
export async function openQuotaRegistry(folder: string) {
  const registry = await TestRegistry.start(folder, { senderOf, storageLimit })
  const as = (project: string, method: string, path: string, body?: Buffer | AsyncIterable<Buffer>) =>
    registry.request(method, path, {
      headers: {
        authorization: project,
        ...(path.includes('/manifests/') && { 'content-type': OCI_MANIFEST }),
      },
      ...(body && { body: body as Buffer }),
    })
  const push = async (project: string, repository: string, bytes: Buffer) => {
    const pushed = await as(
      project,
      'POST',
      `/v2/${repository}/blobs/uploads/?digest=${digestOf(bytes)}`,
      bytes,
    )
    return { status: pushed.status, error: pushed.status === 201 ? undefined : pushed.json().errors[0] }
  }
  return { registry, as, push, [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose]() }
}
