import type { FastifyReply } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { AccessError } from '../../access/errors.ts'
import type { KeyRing } from '../../access/key-ring.ts'
import { LoginError } from '../../access/login/login-error.ts'
import type { LoginIssuer } from '../../access/login/login-issuer.ts'
import type { LoginPolicies } from '../../access/login/login-policy.ts'
import { type LoginSessions, SESSION_MS } from '../../access/login/login-sessions.ts'
import { PUBLIC } from '../access/security.ts'
import { fieldError } from '../problem.ts'
import { BrowserCookies } from './browser-cookies.ts'
import { assertFromOwnPage } from './own-pages.ts'
import { openPendingLogin, PENDING_MS, sealPendingLogin } from './pending-login.ts'
import { returnPath } from './return-path.ts'
import { personCaller } from './session-source.ts'

/** What the login of people needs. */
export type Login = {
  readonly issuer: LoginIssuer
  readonly policies: LoginPolicies
  readonly sessions: LoginSessions
  readonly keys: KeyRing
  readonly publicUrl: URL
}

/** Where the issuer sends the browser back to. It is registered there. */
export const CALLBACK_PATH = '/login/callback'

const schema = { hide: true, security: PUBLIC }

/** The login of people in a browser. These routes are for browsers, so they are no part of the API. */
export function loginRoutes({ issuer, policies, sessions, keys, publicUrl }: Login): FastifyPluginAsyncZod {
  const cookies = new BrowserCookies(publicUrl)
  return async (app) => {
    app.addHook('onSend', async (_request, reply) => void reply.header('cache-control', 'no-store'))
    app.get(
      '/login',
      { schema: { ...schema, querystring: z.object({ returnTo: z.string().default('/') }) } },
      async ({ query }, reply) => {
        const target = returnPath(query.returnTo, publicUrl)
        if (!target) {
          throw fieldError(
            400,
            'INVALID_REQUEST',
            'querystring.returnTo',
            'expected a path of this broker, such as /docs',
          )
        }
        const { url, checks } = await issuer.start()
        const returnTo = `${target.pathname}${target.search}${target.hash}`
        cookies.write(reply, 'record-broker-login', sealPendingLogin({ checks, returnTo }, keys), PENDING_MS)
        return redirect(reply, url)
      },
    )
    app.get(CALLBACK_PATH, { schema, config: { isAudited: true } }, async (request, reply) => {
      request.audited = { action: 'login' }
      const sealed = cookies.read(request, 'record-broker-login')
      const pending = sealed === undefined ? undefined : openPendingLogin(sealed, keys)
      if (!pending) throw new LoginError('this browser has no login under way; start again at /login')
      // One attempt: an answer of the issuer is of no use to whoever sees it later.
      cookies.clear(reply, 'record-broker-login')
      const [, query = ''] = request.url.split(/\?(.*)/s)
      const person = await issuer.finish(query, pending.checks).catch((error: unknown) => {
        request.log.warn({ err: error }, 'a login was not completed')
        throw error
      })
      const admitted = policies.admit(person.claims)
      if (admitted === undefined) {
        const claims = policies.claimNames.join(', ')
        throw new AccessError(
          'ACCESS_DENIED',
          `no policy admits you to this broker; the policies look at ${claims}`,
        )
      }
      const { subject } = person
      // For the audit log.
      request.knownCaller = personCaller(admitted.policy, person)
      // An id that the browser brought along may be known to someone else.
      const id = await sessions.create({ issuer: person.issuer, subject, policy: admitted.digest })
      cookies.write(reply, 'record-broker', id, SESSION_MS)
      return redirect(reply, new URL(publicUrl.origin + pending.returnTo))
    })
    app.post('/logout', { schema }, async (request, reply) => {
      request.audited = { action: 'logout' }
      assertFromOwnPage(request, publicUrl)
      const id = cookies.read(request, 'record-broker')
      const ended = id === undefined ? undefined : await sessions.remove(id)
      const policy = ended && policies.find(ended.policy)
      // For the audit log.
      if (policy) request.knownCaller = personCaller(policy, ended)
      cookies.clear(reply, 'record-broker')
      return reply.code(204).send()
    })
  }
}

function redirect(reply: FastifyReply, url: URL): FastifyReply {
  return reply.redirect(url.href, 303)
}
