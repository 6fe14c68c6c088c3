import {
  EMBEDDED_HOST,
  type RepositoryPattern,
  type RepositoryPatterns,
} from '../../access/repository-patterns.ts'
import type { HostNames } from '../../oci/host-names.ts'
import { parseReference } from '../../oci/reference.ts'

/** The repositories that a glob or a template can name: `text` itself, or those whose host and name start with it. */
export type Reach = { readonly text: string; readonly isExact: boolean }
type Part = 'all' | 'some' | 'none'

/** The special characters of globs. What precedes the first one is literal. */
const SPECIAL = /[*?[\]{}\\]/
const TEMPLATE_PART = /([^{}]*)(?:\{([^{}]*)\})?/g

/** Returns what the source of a rule can be, a glob over host and repository. */
export function sourceReach(glob: string): Reach {
  const end = glob.search(SPECIAL)
  return end === -1 ? { text: glob, isExact: true } : { text: glob.slice(0, end), isExact: false }
}

/** Returns what the target of a rule can be, a template that is filled in with a source. */
export function targetReach(template: string, source: Reach): Reach {
  const reach = fillIn(template.replace(/:[^:/]*$/, ''), source)
  try {
    // A name without a host has a default one.
    return reach.isExact ? { ...reach, text: locationOf(reach.text) } : reach
  } catch {
    return { text: '', isExact: false }
  }
}

function fillIn(template: string, source: Reach): Reach {
  const slash = source.text.indexOf('/')
  const [host, path] = slash === -1 ? [] : [source.text.slice(0, slash), source.text.slice(slash + 1)]
  let text = ''
  for (const [, literal, name] of template.matchAll(TEMPLATE_PART)) {
    text += literal
    if (name === undefined) continue
    if (name === 'host' && host !== undefined) {
      text += host
      continue
    }
    if (name !== 'repository') return { text: hasHost(text) ? text : '', isExact: false }
    text += path ?? ''
    if (!source.isExact) return { text: hasHost(text) ? text : '', isExact: false }
  }
  return { text, isExact: true }
}

/** Whether a text starts with the name of a registry. */
function hasHost(text: string): boolean {
  const [host = '', ...path] = text.split('/')
  return path.length > 0 && (host === 'localhost' || /[.:]/.test(host))
}

function locationOf(text: string): string {
  const { host, repository } = parseReference(text)
  return `${host}/${repository}`
}

/** Whether patterns allow all, some or none of the repositories of a reach. */
export function allowedPart(reach: Reach, { patterns }: RepositoryPatterns, names: HostNames): Part {
  return largestOf(patterns.map((pattern) => partOf(reach, pattern, names)))
}

function largestOf(parts: readonly Part[]): Part {
  return parts.includes('all') ? 'all' : parts.includes('some') ? 'some' : 'none'
}

function partOf(reach: Reach, pattern: RepositoryPattern, names: HostNames): Part {
  if (pattern.kind === 'everything') return 'all'
  const hosts = pattern.host === EMBEDDED_HOST ? names.hosts : names.all(pattern.host)
  const parts = hosts.map((host): Part => {
    if (pattern.kind === 'host') return partBelow(reach, `${host}/`)
    const name = `${host}/${pattern.repository}`
    if (pattern.isPrefix) return partBelow(reach, `${name}/`)
    if (reach.isExact) return reach.text === name ? 'all' : 'none'
    return name.startsWith(reach.text) ? 'some' : 'none'
  })
  return largestOf(parts)
}

function partBelow({ text, isExact }: Reach, folder: string): Part {
  if (text.startsWith(folder)) return 'all'
  return !isExact && folder.startsWith(text) ? 'some' : 'none'
}
