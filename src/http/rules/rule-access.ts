import type { Caller } from '../../access/caller.ts'
import type { Project } from '../../access/projects/project.ts'
import { repositoryRule } from '../../access/registries/project-rule.ts'
import type { RepositoryPatterns } from '../../access/repository-patterns.ts'
import type { HostNames } from '../../oci/host-names.ts'
import { formatReference, parseReference } from '../../oci/reference.ts'
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
 * @throws HttpError REPOSITORY_NOT_ALLOWED
 */
export function assertRuleAllowed(rule: Pick<Rule, 'source' | 'target'>, author: RuleAuthor): void {
  const { caller, project } = author
  const source = sourceReach(rule.source)
  const target = targetReach(rule.target, source)
  const { read, write } = caller.access
  // Whoever may write a repository may also read it.
  if (
    !isWithin(source, read, project?.readable, author) &&
    !isWithin(source, write, project?.writable, author)
  ) {
    throw notAllowed('source', 'read', rule.source)
  }
  if (!isWithin(target, write, project?.writable, author)) throw notAllowed('target', 'write', rule.target)
}

function isWithin(
  reach: Reach,
  sets: readonly RepositoryPatterns[],
  ofProject: RepositoryPatterns | undefined,
  { names }: RuleAuthor,
): boolean {
  const ofProjectText = JSON.stringify(ofProject?.texts)
  return [...sets, ...(ofProject ? [ofProject] : [])].every((patterns) => {
    const part = allowedPart(reach, patterns, names)
    return part === 'all' || (part === 'some' && JSON.stringify(patterns.texts) === ofProjectText)
  })
}

function notAllowed(field: 'source' | 'target', use: 'read' | 'write', text: string): HttpError {
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
  const allows = repositoryRule({ read: [project.readable], write: [project.writable] }, names)
  for (const [text, use] of [
    [source, 'read'],
    [target, 'write'],
  ] as const) {
    const { host, repository } = parseReference(text)
    if (allows({ host, repository }, use)) continue
    const detail = `the project ${name} may not ${use} ${formatReference({ host, repository })}; an administrator can extend its \`${use}\` patterns`
    throw new HttpError(403, 'REPOSITORY_NOT_ALLOWED', detail)
  }
}
