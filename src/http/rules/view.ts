import { z } from 'zod'
import { ProjectName } from '../../access/projects/project.ts'
import { timeOfId } from '../../db/new-id.ts'
import type { RuleVersion, ScopedRules, StoredRule } from '../../jobs/rule-store.ts'
import { EventLoopYielder } from '../event-loop-yielder.ts'
import { isoTime, Timestamp } from '../parameters.ts'
import { Rule } from './rule.ts'

export const RuleView = z
  .object({ id: z.string(), project: ProjectName, createdAt: Timestamp, updatedAt: Timestamp, ...Rule.shape })
  .meta({
    id: 'ConversionRule',
    description: 'A rule: which pushed images are converted, and how.',
  })

export function ruleView(rule: StoredRule): z.output<typeof RuleView> {
  return { ...identity(rule), ...Rule.parse(rule.document) }
}

function identity({ id, project, updatedAt }: StoredRule) {
  return { id, project, createdAt: isoTime(timeOfId(id)), updatedAt: isoTime(updatedAt) }
}

/** Yields the JSON of a rule listing, one rule at a time: the rules can be large. */
export async function* ruleListing(
  versions: readonly RuleVersion[],
  rules: ScopedRules,
): AsyncGenerator<Buffer> {
  const yielder = new EventLoopYielder()
  let separator = '{"items":['
  for (const { id } of versions) {
    await yielder.yieldIfDue()
    const rule = await rules.get(id)
    if (!rule) continue
    yield Buffer.from(`${separator}${JSON.stringify(listedRule(rule))}`)
    separator = ','
  }
  yield Buffer.from(separator === ',' ? ']}' : `${separator}]}`)
}

/** The rule with its defaults. One that is no longer valid is shown as it is stored. */
function listedRule(rule: StoredRule): object {
  const { success, data } = Rule.safeParse(rule.document)
  return { ...identity(rule), ...(success ? data : (rule.document as object)) }
}
