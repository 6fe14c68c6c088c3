import type { ApiTokens } from '../../access/tokens/api-tokens.ts'
import type { CallerSource } from './caller-source.ts'

/** Accepts API tokens, as bearer tokens and as the passwords of registry clients. */
export function apiTokenSource(tokens: Pick<ApiTokens, 'identify'>): CallerSource {
  return {
    identify: async (presented) =>
      presented.kind === 'none' ? undefined : tokens.identify(presented.secret),
  }
}
