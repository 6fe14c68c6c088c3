import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Caller, EVERYTHING } from '../../access/caller.ts'
import { AccessError } from '../../access/errors.ts'
import type { ProjectDirectory } from '../../access/projects/project-directory.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { HttpError, problem, sendProblem } from '../problem.ts'
import { isRegistryPath } from '../registry-path.ts'
import { type CallerSource, type Presented, type Purpose, presentedBy } from './caller-source.ts'
import { HOOK_SETTINGS } from './hook-secrets.ts'
import { BASIC_CHALLENGE, type RegistryChallenge, TOKEN_PATH } from './registry-challenge.ts'
import { routeAccess } from './security.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sends the request. Public routes have no caller: reading it there throws. */
    caller: Caller
    /** The caller if it is known, on any route. */
    knownCaller: Caller | undefined
  }
  interface FastifyInstance {
    /**
     * Returns whose credential this is, for routes that find it elsewhere than in the headers of the request, and for
     * checks whether it still counts.
     */
    identifyCaller(
      presented: Presented,
      request: FastifyRequest,
      purpose?: Purpose,
    ): Promise<Caller | undefined>
  }
}

/** The header with which an administrator works in one project. */
const PROJECT_HEADER = 'record-broker-project'

/** The caller of a broker that demands no credential: only this machine reaches it. */
const LOCAL_CALLER = new Caller({
  identity: { kind: 'local', subject: 'local' },
  scopes: ['admin'],
  projectScope: ProjectScope.ALL,
  access: EVERYTHING,
})

export type AuthenticationOptions = {
  /** The ways in, in the order in which they are tried. */
  readonly sources: readonly CallerSource[]
  readonly projects: Pick<ProjectDirectory, 'get'>
  /** Whether requests without a credential are rejected. If not, they are those of an administrator. */
  readonly demandsCredential: (request: FastifyRequest) => boolean
  /** Requests that need no credential although their route demands one, such as those of scrapers. */
  readonly isExempt?: ((request: FastifyRequest) => boolean) | undefined
  /** How clients of the embedded registry identify themselves; default: by their credential. */
  readonly registryChallenge?: RegistryChallenge | undefined
}

/**
 * Finds out who sends each request, and checks the scope that the matched route demands. Routes are told apart by
 * their pattern: the path of a request can be written in many ways.
 */
export function registerAuthentication(app: FastifyInstance, options: AuthenticationOptions): void {
  app.decorateRequest('knownCaller', undefined)
  app.decorateRequest('caller', {
    getter(this: FastifyRequest) {
      if (!this.knownCaller) throw new RangeError(`${this.routeOptions.url} is public: it has no caller`)
      return this.knownCaller
    },
  })
  app.decorateRequest('usesRegistryToken', false)
  const place = (caller: Caller, request: FastifyRequest) =>
    placeInProject(caller, request.headers[PROJECT_HEADER], options.projects)
  app.decorate('identifyCaller', async (presented, request, purpose) => {
    const caller = await identify(presented, request, options, purpose)
    return caller && place(caller, request)
  })
  const { registryChallenge = BASIC_CHALLENGE } = options
  demandDeclarations(app)
  app.addHook('onRequest', async (request, reply) => {
    const access = routeAccess(request.routeOptions.schema?.security)
    // Requests that match no route say nothing about which routes exist to those without a credential.
    const isUnknown = request.routeOptions.url === undefined || request.is404
    if ((access.kind === 'public' && !isUnknown) || options.isExempt?.(request)) return undefined
    const presented = presentedBy(request.headers.authorization, isRegistryRequest(request))
    const caller = await identify(presented, request, options).catch((error: unknown) => {
      if (isRegistryRequest(request)) challengeRegistry(request, reply, registryChallenge)
      // RFC 6750, 3.1: a credential that was known, and is no longer accepted.
      else if (isRejection(error)) reply.header('www-authenticate', 'Bearer error="invalid_token"')
      throw error
    })
    if (!caller) return sendChallenge(request, reply, registryChallenge)
    request.knownCaller = await place(caller, request)
    if (isUnknown || access.kind !== 'scope' || caller.has(access.scope)) return undefined
    const scopes = [...caller.scopes].join(', ') || 'no scope'
    throw new AccessError(
      'ACCESS_DENIED',
      `this needs the scope ${access.scope}; the credential of ${JSON.stringify(caller.identity.subject)} has ${scopes}`,
    )
  })
}

function isRejection(error: unknown): boolean {
  return error instanceof AccessError && error.code === 'CREDENTIAL_REJECTED'
}

/** Makes the start fail if a route, of a plugin too, does not declare who may use it. */
function demandDeclarations(app: FastifyInstance): void {
  const routes: { readonly url: string; readonly schema?: { readonly security?: unknown } | undefined }[] = []
  app.addHook('onRoute', (route) => void routes.push(route))
  app.addHook('onReady', async () => {
    const open = routes.filter(({ schema }) => schema?.security === undefined).map(({ url }) => url)
    if (open.length > 0)
      throw new RangeError(`routes without \`security\` in their schema: ${open.join(', ')}`)
  })
}

async function identify(
  presented: Presented,
  request: FastifyRequest,
  { sources, demandsCredential }: AuthenticationOptions,
  purpose: Purpose = 'request',
): Promise<Caller | undefined> {
  for (const source of sources) {
    const caller = await source.identify(presented, request, purpose)
    if (caller) return caller
  }
  return presented.kind === 'none' && !demandsCredential(request) ? LOCAL_CALLER : undefined
}

/** Applies the rules of the caller's project. An administrator sees all projects, or the one that it names. */
async function placeInProject(
  caller: Caller,
  header: string | string[] | undefined,
  projects: AuthenticationOptions['projects'],
): Promise<Caller> {
  const wanted = typeof header === 'string' ? header : undefined
  if (caller.projectScope.seesAll && wanted === undefined) return caller
  const name = caller.isAdmin && wanted !== undefined ? wanted : caller.project
  if (wanted !== undefined && wanted !== name) {
    throw new AccessError('ACCESS_DENIED', `this credential belongs to the project ${name}`)
  }
  const project = await projects.get(name)
  if (project) return caller.within(name, { read: project.readable, write: project.writable })
  if (caller.isAdmin) throw new HttpError(404, 'PROJECT_NOT_FOUND', `project ${name} does not exist`)
  throw new AccessError(
    'ACCESS_DENIED',
    `the project ${name} of this credential does not exist; an administrator can create it`,
  )
}

function isRegistryRequest({ routeOptions, raw }: FastifyRequest): boolean {
  const { url } = routeOptions
  if (url === TOKEN_PATH) return true
  return isRegistryPath((url === undefined || url === '*' ? raw.url : url) ?? '')
}

function challengeRegistry(request: FastifyRequest, reply: FastifyReply, challenge: RegistryChallenge): void {
  // The token service itself has no tokens to ask for.
  const { forRequest } = request.routeOptions.url === TOKEN_PATH ? BASIC_CHALLENGE : challenge
  reply.header('www-authenticate', forRequest(request))
}

function sendChallenge(
  request: FastifyRequest,
  reply: FastifyReply,
  challenge: RegistryChallenge,
): FastifyReply {
  const isRegistry = isRegistryRequest(request)
  const isAcceld = request.routeOptions.url?.startsWith('/api/')
  const isGiven = request.headers.authorization !== undefined
  const sender = request.routeOptions.config?.hookSender
  const secret = sender === undefined ? '' : `, or a secret of ${HOOK_SETTINGS[sender]}`
  const hint = `send a token of this broker${secret}: Authorization: Bearer TOKEN`
  const message = isGiven ? `the token is wrong; ${hint}` : hint
  if (isRegistry) challengeRegistry(request, reply, challenge)
  else reply.header('www-authenticate', 'Bearer')
  if (isAcceld) return reply.code(401).send({ code: 'ERR_UNAUTHORIZED', message })
  if (!isRegistry) return sendProblem(reply, problem(401, 'UNAUTHORIZED', message))
  request.failureCode = 'UNAUTHORIZED'
  return reply.code(401).send({ errors: [{ code: 'UNAUTHORIZED', message }] })
}
