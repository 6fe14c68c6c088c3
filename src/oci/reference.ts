import { z } from 'zod'
import { Digest } from './digest-schema.ts'

/** Docker Hub's canonical host in references. Its API has the host {@link DOCKER_HUB_API_HOST}. */
export const DOCKER_HUB = 'docker.io'
export const DOCKER_HUB_API_HOST = 'registry-1.docker.io'
const DOCKER_HUB_ALIASES = new Set([DOCKER_HUB, 'index.docker.io', DOCKER_HUB_API_HOST])

/** OCI distribution-spec 1.1, "Pulling manifests": the grammar of `<name>` and of a tag. */
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/
/** A DNS name, an IPv4 address or a bracketed IPv6 address, with an optional port. */
const HOST = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?$/
const MAX_REPOSITORY_LENGTH = 255

/** A parsed image reference. `host` is in lower case; Docker Hub is always `docker.io`. */
export type Reference = {
  readonly host: string
  readonly repository: string
  readonly tag?: string
  readonly digest?: Digest
}

/** A text is not an image reference. The message names the invalid part. */
export class InvalidReferenceError extends Error {
  override readonly name = 'InvalidReferenceError'
  readonly code = 'INVALID_REFERENCE'
}

/** A user and a password before the host, as in URLs. */
const USER_INFO = /^([a-z][a-z0-9+.-]*:\/\/)?[^/@]*@(?=[^@]*\/)/i

function throwInvalid(text: string, problem: string): never {
  throw new InvalidReferenceError(
    `${JSON.stringify(text.replace(USER_INFO, '$1***@').slice(0, 300))} is not an image reference: ${problem}`,
  )
}

/**
 * Whether the first part of a name is a host by Docker's rule: `localhost`, or anything that contains `.` or
 * `:`.
 */
function looksLikeHost(part: string): boolean {
  return part === 'localhost' || part.includes('.') || part.includes(':')
}

/**
 * Parses `[host/]repository[:tag][@digest]` by Docker's rules: the default host is Docker Hub, whose one-part
 * names get the prefix `library/`. There is no default tag: a caller that needs one uses {@link tagOrDigest}.
 * @throws InvalidReferenceError INVALID_REFERENCE
 */
export function parseReference(text: string): Reference {
  let name = text
  let digest: Digest | undefined
  const atSign = name.indexOf('@')
  if (atSign >= 0) {
    const parsed = Digest.safeParse(name.slice(atSign + 1))
    if (!parsed.success) throwInvalid(text, `after @, ${parsed.error.issues[0]?.message}`)
    digest = parsed.data
    name = name.slice(0, atSign)
  }
  let host = DOCKER_HUB
  const slash = name.indexOf('/')
  if (slash > 0 && looksLikeHost(name.slice(0, slash))) {
    host = parseHost(name.slice(0, slash))
    name = name.slice(slash + 1)
  }
  let tag: string | undefined
  const colon = name.indexOf(':')
  if (colon >= 0) {
    tag = name.slice(colon + 1)
    name = name.slice(0, colon)
    if (!TAG.test(tag))
      throwInvalid(text, 'a tag has up to 128 letters, digits, and _ . - (the last two not at the start)')
  }
  if (host === DOCKER_HUB && !name.includes('/')) name = `library/${name}`
  if (name.length > MAX_REPOSITORY_LENGTH)
    throwInvalid(text, `a repository has at most ${MAX_REPOSITORY_LENGTH} characters`)
  if (!REPOSITORY.test(name))
    throwInvalid(text, 'a repository has lower-case letters, digits, and . _ - between them')
  return {
    host,
    repository: name,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
  }
}

/**
 * Parses a registry host, `name[:port]`, in lower case; Docker Hub's aliases become `docker.io`.
 * @throws InvalidReferenceError INVALID_REFERENCE
 */
export function parseHost(text: string): string {
  if (!HOST.test(text)) throwInvalid(text, 'the host is not a name or address with an optional port')
  const port = /:([0-9]+)$/.exec(text)?.[1]
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65535))
    throwInvalid(text, 'the port is not in 1..65535')
  const host = text.toLowerCase()
  return DOCKER_HUB_ALIASES.has(host) ? DOCKER_HUB : host
}

/**
 * Parses a repository name without a host, such as `team/app`.
 * @throws InvalidReferenceError INVALID_REFERENCE
 */
export function parseRepository(text: string): string {
  if (text.length > MAX_REPOSITORY_LENGTH || !REPOSITORY.test(text))
    throwInvalid(text, 'not a repository name')
  return text
}

/** Whether a text has the form of a tag. */
export function isTag(text: string): boolean {
  return TAG.test(text)
}

/** Formats a reference, so that it parses to the same value again. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`
  return `${reference.host}/${reference.repository}${tag}${digest}`
}

/**
 * Returns what a manifest request names: the digest, which takes precedence over the tag, or the tag, or
 * `latest`.
 */
export function tagOrDigest(reference: Reference): string {
  return reference.digest ?? reference.tag ?? 'latest'
}

/**
 * The schema of a reference in requests and configuration. It validates the text and returns it unchanged.
 */
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
