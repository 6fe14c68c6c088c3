import type { RegistryTokens } from '../../access/registry/registry-tokens.ts'
import { isRegistryPath } from '../registry-path.ts'
import type { CallerSource } from './caller-source.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Whether the caller identified itself by a token of the registry. */
    usesRegistryToken: boolean
  }
}

/** Accepts tokens of the embedded registry, on its routes only. */
export function registryTokenSource(tokens: RegistryTokens): CallerSource {
  return {
    identify: async (presented, request) => {
      if (presented.kind !== 'bearer' || !isRegistryPath(request.routeOptions.url ?? '')) return undefined
      const caller = await tokens.identify(presented.secret)
      if (caller) request.usesRegistryToken = true
      return caller
    },
  }
}
