import type { Quotas } from '../../access/projects/project.ts'
import type { ResponseDocument } from '../../client/broker-request.ts'
import { bytesText } from '../text/quantities.ts'
import { patternsText } from '../token/token-text.ts'

export type Project = ResponseDocument<'get', '/v1/projects/{name}'>
export type Usage = ResponseDocument<'get', '/v1/projects/{name}/usage'>

const TITLES: Readonly<Record<keyof Quotas, string>> = {
  records: 'records',
  queuedJobs: 'queued jobs',
  runningJobs: 'running jobs',
  storedBytes: 'stored',
}
const NAMES = Object.keys(TITLES) as (keyof Quotas)[]

/** Describes a project for people. */
export function projectText(project: Project): string {
  return `${[...projectLines(project), ...limitLines(project)].join('\n')}\n`
}

/** Describes a project for people, with what it uses. */
export function projectWithUsageText(project: Project & { readonly usage: Usage }): string {
  return `${[...projectLines(project), ...usageLines(project.usage)].join('\n')}\n`
}

function projectLines({ name, description, read, write, usesDockerConfig }: Project): string[] {
  return [
    description === '' ? name : `${name}: ${description}`,
    `  reads ${patternsText(read)}; writes ${patternsText(write)}`,
    ...(usesDockerConfig ? ["  uses the broker's docker config"] : []),
  ]
}

function limitLines({ quotas }: Project): string[] {
  const limits = NAMES.flatMap((name) => {
    const limit = quotas[name]
    return limit === undefined ? [] : [`${TITLES[name]} ${amountText(name, limit)}`]
  })
  return limits.length === 0 ? [] : [`  at most: ${limits.join(', ')}`]
}

function usageLines(usage: Usage): string[] {
  return NAMES.flatMap((name) => {
    const { used, limit } = usage[name]
    if (used === undefined && limit === undefined) return []
    const of = limit === undefined ? '' : ` of ${amountText(name, limit)}`
    return [`  ${TITLES[name]}: ${used === undefined ? 'unknown' : amountText(name, used)}${of}`]
  })
}

function amountText(name: keyof Quotas, amount: number): string {
  return name === 'storedBytes' ? bytesText(amount) : String(amount)
}
