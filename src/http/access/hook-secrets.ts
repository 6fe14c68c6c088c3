import type { FastifyRequest } from 'fastify'
import { Caller, EVERYTHING } from '../../access/caller.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import type { CallerSource } from './caller-source.ts'
import { secretMatcher } from './secret-matcher.ts'

/** The senders of push notifications, each with its own secrets. */
export type HookSender = 'distribution' | 'harbor' | 'cloudevents'

/**
 * The secrets of each sender: several while one replaces another. Registries send theirs as the whole
 * Authorization header, or as a bearer token.
 */
export type HookSecrets = Readonly<Partial<Record<HookSender, readonly string[]>>>

/** The settings with the secrets of each sender. */
export const HOOK_SETTINGS: Readonly<Record<HookSender, string>> = {
  distribution: 'RECORD_BROKER_HOOK_SECRET_DISTRIBUTION',
  harbor: 'RECORD_BROKER_HOOK_SECRET_HARBOR',
  cloudevents: 'RECORD_BROKER_HOOK_SECRET_CLOUDEVENTS',
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route also accepts the secrets of this sender. */
    hookSender?: HookSender
  }
}

/**
 * Accepts the secrets of registries, on the routes of their notifications only. Such a caller sees the rules of all
 * projects: the registry does not know which of them want to hear of an image.
 */
export function hookSecretSource(secrets: HookSecrets): CallerSource {
  const matchers = new Map(
    Object.entries(secrets).map(([sender, accepted]) => [sender, accepted.map(secretMatcher)]),
  )
  return {
    identify: async (_presented, { routeOptions, headers }) => {
      const sender = routeOptions.config?.hookSender
      const accepted = sender && matchers.get(sender)
      const given = headers.authorization?.replace(/^Bearer +/i, '')
      if (sender === undefined || accepted === undefined || given === undefined) return undefined
      // All are compared, so that the response time does not tell which one it is.
      const matches = accepted.filter((isSecret) => isSecret(given))
      return matches.length > 0 ? hookCaller(sender) : undefined
    },
  }
}

function hookCaller(sender: HookSender): Caller {
  return new Caller({
    identity: { kind: 'hook', subject: sender },
    scopes: ['conversions:read', 'conversions:write'],
    projectScope: ProjectScope.ALL,
    access: EVERYTHING,
  })
}

/** Whether a route demands the secret of its sender even if the broker demands no other credential. */
export function demandsHookSecret(secrets: HookSecrets) {
  return ({ routeOptions }: FastifyRequest): boolean => {
    const sender = routeOptions.config?.hookSender
    return sender !== undefined && secrets[sender] !== undefined
  }
}
