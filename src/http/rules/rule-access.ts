import type { Caller } from '../../access/caller.ts'
import type { Project } from '../../access/projects/project.ts'
import { projectAccess, repositoryRule } from '../../access/registries/project-rule.ts'
import { EMBEDDED_HOST, type RepositoryPatterns } from '../../access/repository-patterns.ts'
import type { HostNames } from '../../oci/host-names.ts'
import { parseReference } from '../../oci/reference.ts'
import { firstRefused } from '../access/project-placement.ts'
import { fieldError, HttpError } from '../problem.ts'
import type { Rule } from './rule.ts'
import { allowedPart, type Reach, sourceReach, targetReach } from './rule-reach.ts'

/** What is known of a caller's access when it writes a rule. */
type RuleAuthor = {
  readonly caller: Caller
  /** The project of the rule; undefined if it no longer exists. */
  readonly project: Project | undefined
  readonly names: HostNames
}

/**
 * Checks that a rule can only do what its author may do. The patterns of its project apply to each push as well, so
 * that a rule may match more than these; those of the author's credential do not, so that a rule must stay within
 * them.
 * @throws HttpError REPOSITORY_NOT_ALLOWED; INVALID_REQUEST for a host of patterns only
 */
export function assertRuleAllowed(
  rule: Pick<Rule, 'source' | 'target' | 'record'>,
  author: RuleAuthor,
): void {
  const { caller, project, names } = author
  for (const field of ['source', 'target'] as const) {
    if (rule[field].startsWith(`${EMBEDDED_HOST}/`)) {
      throw fieldError(400, 'INVALID_REQUEST', `body.${field}`, hostText(names))
    }
  }
  const source = sourceReach(rule.source)
  const target = targetReach(rule.target, source)
  const { read, write } = caller.ownAccess
  // Whoever may write a repository may also read it.
  if (
    !isWithin(source, read, project?.readable, author) &&
    !isWithin(source, write, project?.writable, author)
  ) {
    throw notAllowed('source', 'read', rule.source)
  }
  if (!isWithin(target, write, project?.writable, author)) throw notAllowed('target', 'write', rule.target)
  const image = recordImage(rule.record)
  if (image !== undefined && !repositoryRule(caller.access, names)(parseReference(image), 'read')) {
    throw notAllowed('record', 'read', image)
  }
}

/** Rules name registries as images do. */
function hostText({ hosts: [host] }: HostNames): string {
  const own = host === undefined ? '' : `, such as ${host} for that of the broker`
  return `name the registry by its host${own}: \`${EMBEDDED_HOST}\` is for the patterns of projects and tokens only`
}

/** The image that a rule takes its record from, wherever that is. */
function recordImage(record: Rule['record']): string | undefined {
  if (record && 'image' in record) return record.image
  return record && 'copyFrom' in record ? record.copyFrom : undefined
}

function isWithin(
  reach: Reach,
  own: readonly RepositoryPatterns[],
  ofProject: RepositoryPatterns | undefined,
  { names }: RuleAuthor,
): boolean {
  const isOwn = own.every((patterns) => allowedPart(reach, patterns, names) === 'all')
  return isOwn && (ofProject === undefined || allowedPart(reach, ofProject, names) !== 'none')
}

function notAllowed(field: 'source' | 'target' | 'record', use: 'read' | 'write', text: string): HttpError {
  const message = `${text} names repositories that this project, or the credential of the request, may not ${use}; begin it with a host and a path within its \`${use}\` patterns`
  return fieldError(403, 'REPOSITORY_NOT_ALLOWED', `body.${field}`, message)
}

/**
 * Checks that a project may convert an image as one of its rules wants to.
 * @throws HttpError REPOSITORY_NOT_ALLOWED, PROJECT_NOT_FOUND
 */
export function assertConversionAllowed(
  { source, target }: { readonly source: string; readonly target: string },
  name: string,
  { project, names }: { readonly project: Project | undefined; readonly names: HostNames },
): void {
  if (!project) {
    throw new HttpError(404, 'PROJECT_NOT_FOUND', `the project ${name} of the rule does not exist any more`)
  }
  const refused = firstRefused({ read: [source], written: [target] }, projectAccess(project), names)
  if (!refused) return
  const { use, repository } = refused
  const detail = `the project ${name} may not ${use} ${repository}; an administrator can extend its \`${use}\` patterns`
  throw new HttpError(403, 'REPOSITORY_NOT_ALLOWED', detail)
}
