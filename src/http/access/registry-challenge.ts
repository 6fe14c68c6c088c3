import type { FastifyRequest } from 'fastify'
import { REGISTRY_SERVICE } from '../../access/registry/registry-tokens.ts'
import { scopeOfRequest } from '../../embedded-registry/guard/required-access.ts'
import { parseAuthority } from '../connection/request-host.ts'

/** The path of the token service. It is outside `/v2/`, where the names of repositories are. */
export const TOKEN_PATH = '/auth/token'

const BASIC = 'Basic realm="record-broker"'

/** Tells clients of the registry how to identify themselves. */
export type RegistryChallenge = {
  /** For a request without a valid credential. */
  forRequest(request: FastifyRequest): string
  /** For a token that lacks a scope; undefined if the request did not use one, or its caller gets no other. */
  forScope(request: FastifyRequest, scope: string): string | undefined
}

/** Clients send their credential with every request. */
export const BASIC_CHALLENGE: RegistryChallenge = { forRequest: () => BASIC, forScope: () => undefined }

/**
 * Clients get a token first, with their credential (Docker Registry token authentication).
 * @param publicUrl where the token service is; default: where the request was sent to
 */
export function tokenChallenge(publicUrl: URL | undefined): RegistryChallenge {
  const challenge = (request: FastifyRequest, parameters: Record<string, string | undefined>) => {
    const origin = publicUrl?.origin ?? originOf(request)
    // A host that could end the quoted text, or none: the credential itself is accepted as well.
    if (origin === undefined) return BASIC
    const all = { realm: `${origin}${TOKEN_PATH}`, service: REGISTRY_SERVICE, ...parameters }
    const texts = Object.entries(all).flatMap(([name, value]) =>
      value === undefined ? [] : `${name}="${value}"`,
    )
    return `Bearer ${texts.join(',')}`
  }
  return {
    forRequest: (request) => {
      const path = (request.params as { '*'?: string } | undefined)?.['*']
      const scope = path === undefined ? undefined : scopeOfRequest(request.method, path)
      // `error` is for those that sent a token: it may have expired.
      const error = request.headers.authorization === undefined ? undefined : 'invalid_token'
      return challenge(request, { scope, error })
    },
    // The broker's own processes make their tokens themselves.
    forScope: (request, scope) =>
      request.usesRegistryToken && request.caller.identity.kind !== 'worker'
        ? challenge(request, { scope, error: 'insufficient_scope' })
        : undefined,
  }
}

function originOf({ protocol, host }: FastifyRequest): string | undefined {
  return parseAuthority(host) && `${protocol}://${host}`
}
