import type { FastifyRequest } from 'fastify'
import { EMBEDDED_HOST } from '../../access/repository-patterns.ts'
import type { Endpoint } from '../../embedded-registry/endpoint.ts'
import type { Audited } from '../audit/audited.ts'

const VERBS: Readonly<Record<string, string>> = { GET: 'pull', HEAD: 'pull', PUT: 'push', DELETE: 'delete' }

/** Says for the audit log what a request to the embedded registry is about. */
export function describeRegistryRequest(request: FastifyRequest, endpoint: Endpoint): void {
  request.audited = describe(request.method, endpoint)
}

function describe(method: string, endpoint: Endpoint): Audited {
  if (endpoint.kind === 'base' || endpoint.kind === 'catalog') return { action: 'listRepositories' }
  const repository = `${EMBEDDED_HOST}/${endpoint.repository}`
  switch (endpoint.kind) {
    case 'tags':
      return { action: 'listTags', repository }
    case 'referrers':
      return { action: 'listReferrers', repository, resource: endpoint.digest }
    case 'manifest':
      return { action: `${VERBS[method] ?? 'access'}Manifest`, repository, resource: endpoint.reference }
    case 'blob':
      return { action: `${VERBS[method] ?? 'access'}Blob`, repository, resource: endpoint.digest }
    case 'uploads':
    case 'upload':
      // The push of the manifest says what was pushed.
      return { action: 'uploadBlob', repository, isUnrecorded: true }
  }
}
