import type { Caller } from '../../access/caller.ts'
import type { CallerSource } from './caller-source.ts'

/** Accepts secrets whose callers `known` finds, as bearer tokens and as the passwords of registry clients. */
export function secretSource(known: { identify(secret: string): Promise<Caller | undefined> }): CallerSource {
  return {
    identify: async (presented) => (presented.kind === 'none' ? undefined : known.identify(presented.secret)),
  }
}
