import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { grantScopes, InvalidScopeError } from '../../access/registry/registry-scopes.ts'
import { REGISTRY_SERVICE, type RegistryTokens } from '../../access/registry/registry-tokens.ts'
import type { HostNames } from '../../oci/host-names.ts'
import { HttpError, sendError } from '../problem.ts'
import { type Presented, presentedBy } from './caller-source.ts'
import { TOKEN_PATH } from './registry-challenge.ts'
import { AUTHENTICATED, PUBLIC } from './security.ts'

const FORM_TYPE = 'application/x-www-form-urlencoded'
/** A credential, and as many scopes as are allowed. */
const MAX_FORM_BYTES = 32 * 1024

/**
 * The token service of the embedded registry: a credential of this broker, whatever kind it is, for a token that
 * allows what the client requests and its caller may do (Docker Registry token authentication; with POST its form of
 * OAuth 2). There are no refresh tokens: the credential itself is accepted as one.
 */
export function registryTokenRoutes(tokens: RegistryTokens, names: HostNames): FastifyPluginAsync {
  return async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser(FORM_TYPE, { parseAs: 'string' }, (_request, body, done) => done(null, body))
    app.setErrorHandler((error: Error, request, reply) => sendError(formError(error), request, reply))
    const respond = async (request: FastifyRequest, reply: FastifyReply, scopes: readonly string[]) => {
      const grant = grantOf(request, scopes, names)
      const { token, expiresInSeconds, issuedAt } = await tokens.issue(request.caller, grant)
      const issued_at = new Date(issuedAt).toISOString()
      reply.header('cache-control', 'no-store')
      return reply.send({ token, access_token: token, expires_in: expiresInSeconds, issued_at })
    }
    app.get(TOKEN_PATH, { schema: { hide: true, security: AUTHENTICATED } }, async (request, reply) => {
      const query = request.query as Readonly<Record<string, string | string[] | undefined>>
      assertService([query.service].flat()[0])
      return respond(request, reply, [query.scope ?? []].flat())
    })
    app.post(
      TOKEN_PATH,
      // The credential is in the body, which is read after authentication.
      {
        bodyLimit: MAX_FORM_BYTES,
        schema: { hide: true, security: PUBLIC },
        config: { readsCredential: true },
      },
      async (request, reply) => {
        const form = new URLSearchParams(typeof request.body === 'string' ? request.body : '')
        const presented = presentedIn(form, request)
        // A page can send this form without asking, so nothing that a browser adds by itself counts here.
        const caller = presented.kind === 'none' ? undefined : await app.identifyCaller(presented, request)
        if (!caller) return sendUnauthorized(reply)
        request.knownCaller = caller
        // What the token is used for is recorded, as for GET.
        request.audited = { action: 'createRegistryToken', isUnrecorded: true }
        assertService(form.get('service') ?? undefined)
        return respond(request, reply, form.getAll('scope'))
      },
    )
  }
}

function presentedIn(form: URLSearchParams, { headers }: FastifyRequest): Presented {
  const isRefresh = form.get('grant_type') === 'refresh_token'
  const secret = form.get(isRefresh ? 'refresh_token' : 'password') ?? ''
  if (secret === '') return presentedBy(headers.authorization, true)
  return { kind: 'basic', username: form.get('username') ?? '', secret }
}

function sendUnauthorized(reply: FastifyReply): FastifyReply {
  const message = 'the credential is missing or wrong; send a token of this broker as the password'
  return reply.code(401).send({ error: 'invalid_grant', errors: [{ code: 'UNAUTHORIZED', message }] })
}

function grantOf(request: FastifyRequest, scopes: readonly string[], names: HostNames) {
  try {
    return grantScopes(request.caller, scopes, names)
  } catch (error) {
    throw error instanceof InvalidScopeError
      ? new HttpError(400, 'INVALID_REQUEST', `scope: ${error.message}`)
      : error
  }
}

/** What is wrong with a form: what applies to the bodies of other routes does not hold here. */
function formError(error: Error & { readonly code?: unknown }): Error {
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const message = `the form is larger than ${MAX_FORM_BYTES} bytes, which is fixed: request fewer scopes at a time`
    return new HttpError(413, 'TOO_LARGE', message)
  }
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    const fields = 'grant_type, username and password or refresh_token, service and scope'
    const message = `send the fields ${fields} as a form, with the header "Content-Type: ${FORM_TYPE}"`
    return new HttpError(415, 'UNSUPPORTED_TYPE', message)
  }
  return error
}

/** @throws HttpError if the token is for another service */
function assertService(service: string | undefined): void {
  if (service === undefined || service === '' || service === REGISTRY_SERVICE) return
  throw new HttpError(400, 'INVALID_REQUEST', `service: expected ${REGISTRY_SERVICE}`)
}
