import { type ClaimConditions, valuesOf } from '../oidc/claim-conditions.ts'

/** Claims that say whose workload it is, and that nobody else ever gets. */
const IMMUTABLE: ReadonlySet<string> = new Set([
  'repository_id',
  'repository_owner_id',
  'enterprise_id',
  'project_id',
  'namespace_id',
  'job_project_id',
  'job_namespace_id',
  '/kubernetes.io/serviceaccount/uid',
])

/** Claims that say whose workload it is by a name, which someone else gets after it was changed or deleted. */
const MUTABLE: ReadonlySet<string> = new Set([
  'repository',
  'repository_owner',
  'enterprise',
  'job_workflow_ref',
  'workflow_ref',
  'project_path',
  'namespace_path',
  'job_project_path',
  'job_namespace_path',
  '/kubernetes.io/namespace',
  '/kubernetes.io/serviceaccount/name',
])

/** Subjects that consist of names: those of GitHub, unless they have ids after an `@`, GitLab and Kubernetes. */
const NAMES = /^(repo:(?![^/:]+@\d+\/[^/:]+@\d+(:|$))|project_path:|system:serviceaccount:)/

/** Issuers that sign the tokens of everybody. */
const SHARED_ISSUERS: readonly string[] = [
  'https://token.actions.githubusercontent.com',
  'https://gitlab.com',
]

type Conditional = { readonly issuer: string; readonly conditions: ClaimConditions }

/** Whether the conditions of a policy say whose workloads it accepts. At issuers of one owner they need not. */
export function saysWhose({ issuer, conditions }: Conditional): boolean {
  const isIdentity = (name: string) => name === 'sub' || IMMUTABLE.has(name) || MUTABLE.has(name)
  return !SHARED_ISSUERS.includes(issuer) || Object.keys(conditions).some(isIdentity)
}

/**
 * Returns the claims of a policy that accept another workload after a name has changed hands, if no claim of the
 * policy would notice.
 */
export function mutableClaims({ conditions }: Conditional): string[] {
  const names = Object.keys(conditions)
  if (names.some((name) => IMMUTABLE.has(name))) return []
  return names.filter((name) => MUTABLE.has(name) || (name === 'sub' && hasNames(conditions[name])))
}

function hasNames(wanted: ClaimConditions[string] | undefined): boolean {
  return wanted !== undefined && valuesOf(wanted).some((value) => NAMES.test(String(value)))
}
