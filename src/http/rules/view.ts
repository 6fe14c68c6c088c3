import { z } from 'zod'
import type { RuleStore, RuleVersion, StoredRule } from '../../jobs/rule-store.ts'
import { EventLoopYielder } from '../event-loop-yielder.ts'
import { isoTime, Timestamp } from '../parameters.ts'
import { Rule } from './rule.ts'

export const RuleView = z
  .object({ id: z.string(), updatedAt: Timestamp, rule: Rule })
  .meta({ id: 'StoredRule', description: 'A stored rule.' })

export function ruleView({ id, document, updatedAt }: StoredRule): z.output<typeof RuleView> {
  return { id, updatedAt: isoTime(updatedAt), rule: Rule.parse(document) }
}

/** Yields the JSON of a rule listing, one rule at a time: the rules can be large. */
export async function* ruleListing(
  versions: readonly RuleVersion[],
  rules: RuleStore,
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
function listedRule({ id, document, updatedAt }: StoredRule) {
  const { success, data } = Rule.safeParse(document)
  return { id, updatedAt: isoTime(updatedAt), rule: success ? data : document }
}
