import { z } from 'zod'
import { Digest } from './digest-schema.ts'

/** Docker Hub's canonical host in references; its API answers at {@link DOCKER_HUB_API_HOST}. */
export const DOCKER_HUB = 'docker.io'
export const DOCKER_HUB_API_HOST = 'registry-1.docker.io'
const DOCKER_HUB_ALIASES = new Set([DOCKER_HUB, 'index.docker.io', DOCKER_HUB_API_HOST])

/** OCI distribution-spec 1.1, "Pulling manifests": the grammar of `<name>` and of a tag. */
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/
/** A DNS name, an IPv4 address or a bracketed IPv6 address, with an optional port. */
const HOST = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?$/
const REPOSITORY_LENGTH = 255

/** An image name taken apart. `host` is in lower case; Docker Hub is always `docker.io`. */
export type Reference = {
  readonly host: string
  readonly repository: string
  readonly tag?: string
  readonly digest?: Digest
}

/** A text that is no reference; the message says which part is wrong. */
export class InvalidReference extends Error {
  override readonly name = 'InvalidReference'
  readonly code = 'INVALID_REFERENCE'
}

function fail(text: string, why: string): never {
  throw new InvalidReference(`${JSON.stringify(text.slice(0, 300))} is not an image reference: ${why}`)
}

/** Whether the first part of a name is a host: Docker's rule, `localhost` or anything with `.`, `:`. */
function looksLikeHost(part: string): boolean {
  return part === 'localhost' || part.includes('.') || part.includes(':')
}

/**
 * Parses `[host/]repository[:tag][@digest]` by Docker's rules: without a host it means Docker Hub, whose
 * one-part names get `library/`. No tag is added: a caller that needs one uses {@link tagOrDigest}.
 * @throws InvalidReference
 */
export function parseReference(text: string): Reference {
  let rest = text
  let digest: Digest | undefined
  const at = rest.indexOf('@')
  if (at >= 0) {
    const parsed = Digest.safeParse(rest.slice(at + 1))
    if (!parsed.success) fail(text, `after @: ${parsed.error.issues[0]?.message}`)
    digest = parsed.data
    rest = rest.slice(0, at)
  }
  let host = DOCKER_HUB
  const slash = rest.indexOf('/')
  if (slash > 0 && looksLikeHost(rest.slice(0, slash))) {
    host = parseHost(rest.slice(0, slash))
    rest = rest.slice(slash + 1)
  }
  let tag: string | undefined
  const colon = rest.indexOf(':')
  if (colon >= 0) {
    tag = rest.slice(colon + 1)
    rest = rest.slice(0, colon)
    if (!TAG.test(tag)) fail(text, 'a tag has up to 128 letters, digits, and _ . - (not first)')
  }
  if (host === DOCKER_HUB && !rest.includes('/')) rest = `library/${rest}`
  if (rest.length > REPOSITORY_LENGTH) fail(text, `a repository has at most ${REPOSITORY_LENGTH} characters`)
  if (!REPOSITORY.test(rest))
    fail(text, 'a repository has lower-case letters, digits, and . _ - between them')
  return {
    host,
    repository: rest,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
  }
}

/**
 * Parses a registry host, `name[:port]`, in lower case; Docker Hub's aliases become `docker.io`.
 * @throws InvalidReference
 */
export function parseHost(text: string): string {
  if (!HOST.test(text)) fail(text, 'the host is not a name or address with an optional port')
  const port = /:([0-9]+)$/.exec(text)?.[1]
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65535))
    fail(text, 'the port is not in 1..65535')
  const host = text.toLowerCase()
  return DOCKER_HUB_ALIASES.has(host) ? DOCKER_HUB : host
}

/** Parses a bare repository name, such as `team/app`. @throws InvalidReference */
export function parseRepository(text: string): string {
  if (text.length > REPOSITORY_LENGTH || !REPOSITORY.test(text)) fail(text, 'not a repository name')
  return text
}

/** Whether the text may be a tag. */
export function isTag(text: string): boolean {
  return TAG.test(text)
}

/** The reference as text; it parses back to the same value. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`
  return `${reference.host}/${reference.repository}${tag}${digest}`
}

/** What a manifest request names: the digest where there is one (it wins over the tag), else the tag, else `latest`. */
export function tagOrDigest(reference: Reference): string {
  return reference.digest ?? reference.tag ?? 'latest'
}

/** The schema of a reference in requests and configuration: text in, text out, checked. */
export const ReferenceText = z
  .string()
  .min(1)
  .max(600)
  .superRefine((text, context) => {
    try {
      parseReference(text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
    }
  })
