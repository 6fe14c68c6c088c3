import type { Command } from 'commander'
import type { ResponseDocument } from '../../client/broker-request.ts'
import { addBrokerOptions, type BrokerOptions, withBroker } from '../broker/with-broker.ts'
import { CommandError } from '../failures/errors.ts'
import { describeCommand } from '../help/describe-command.ts'
import { parseJsonObject, readTextFile } from '../json-file.ts'
import { print } from '../print.ts'
import { countText } from '../text/quantities.ts'
import { addRuleOptions, type RuleOptions, ruleFields } from './rule-options.ts'

type StoredRule = ResponseDocument<'get', '/v1/rules/{id}'>

/** What the broker adds to a rule. A rule that is sent back must not have it. */
const ADDED_FIELDS = ['id', 'project', 'createdAt', 'updatedAt'] as const

/** Adds `rule create`, `list`, `show`, `update` and `delete`. */
export function addRuleCommands(program: Command): void {
  const rule = program
    .command('rule')
    .description('manage the rules that convert images when a registry reports a push')
  const create = rule
    .command('create')
    .description('create a rule, from options or from a file; options have precedence')
    .argument('[file]', 'the rule as JSON; - reads standard input')
  describeCommand(addBrokerOptions(addRuleOptions(create)).action(createRule), {
    examples: [
      [
        "rule create --name team --source 'registry.example/team/**' --tag 'v*' --target '{host}/{repository}:{tag}-esgz' --record-match",
        'convert the versions of a team, with the records that were published for them',
      ],
      ['rule create rule.json', 'with `{"name": …, "source": …, "target": …}`'],
    ],
    settings: ['commands'],
  })
  addBrokerOptions(rule.command('list').description('list the rules, oldest first')).action(listRules)
  addBrokerOptions(rule.command('show').description('show a rule').argument('<id>', 'id of the rule')).action(
    showRule,
  )
  const update = rule
    .command('update')
    .description('change the fields of a rule that options name, or replace the rule with that of a file')
    .argument('<id>', 'id of the rule')
    .argument('[file]', 'the rule as JSON; - reads standard input')
  describeCommand(addBrokerOptions(addRuleOptions(update)).action(updateRule), {
    examples: [['rule update ID --no-enabled', 'stop applying a rule']],
    settings: ['commands'],
  })
  addBrokerOptions(
    rule.command('delete').description('delete a rule').argument('<id>', 'id of the rule'),
  ).action(deleteRule)
}

async function createRule(
  path: string | undefined,
  options: BrokerOptions & RuleOptions,
  command: Command,
): Promise<void> {
  const base = path === undefined ? {} : parseJsonObject(path, await readTextFile(path))
  const body = { ...base, ...ruleFields(options, base) }
  if (path === undefined) assertGiven(options, ['name', 'source', 'target'])
  const rule = await withBroker(
    command,
    ({ client, signal }) => client.post('/v1/rules', { body: body as never, signal }),
    { file: path },
  )
  printRule(options, rule)
}

function assertGiven(options: RuleOptions, names: readonly (keyof RuleOptions)[]): void {
  const missing = names.filter((name) => options[name] === undefined).map((name) => `--${name}`)
  if (missing.length > 0) throw new CommandError('usage', `give a file, or ${missing.join(', ')}`)
}

async function listRules(options: BrokerOptions, command: Command): Promise<void> {
  const list = await withBroker(command, ({ client, signal }) => client.get('/v1/rules', { signal }))
  print(options, list, {
    text: ({ items }) => items.map(ruleText).join(''),
    names: ({ items }) => items.map(({ id }) => id),
  })
}

async function showRule(id: string, options: BrokerOptions, command: Command): Promise<void> {
  const rule = await withBroker(command, ({ client, signal }) =>
    client.get('/v1/rules/{id}', { params: { path: { id } }, signal }),
  )
  printRule(options, rule)
}

async function updateRule(
  id: string,
  path: string | undefined,
  options: BrokerOptions & RuleOptions,
  command: Command,
): Promise<void> {
  const replacement = path === undefined ? undefined : parseJsonObject(path, await readTextFile(path))
  if (!replacement && Object.keys(ruleFields(options)).length === 0) {
    throw new CommandError('usage', 'nothing to change: give a file, or options such as --no-enabled')
  }
  const rule = await withBroker(
    command,
    async ({ client, signal }) => {
      const params = { path: { id } }
      const base = replacement ?? withoutAddedFields(await client.get('/v1/rules/{id}', { params, signal }))
      const body = { ...base, ...ruleFields(options, base) }
      return client.put('/v1/rules/{id}', { params, body: body as never, signal })
    },
    { file: path },
  )
  printRule(options, rule)
}

function withoutAddedFields(rule: StoredRule): Record<string, unknown> {
  const added: readonly string[] = ADDED_FIELDS
  return Object.fromEntries(Object.entries(rule).filter(([name]) => !added.includes(name)))
}

async function deleteRule(id: string, options: BrokerOptions, command: Command): Promise<void> {
  await withBroker(command, ({ client, signal }) =>
    client.delete('/v1/rules/{id}', { params: { path: { id } }, signal }),
  )
  print(options, { id }, { text: () => `rule ${id} was deleted\n`, names: () => id })
}

function printRule(options: BrokerOptions, rule: StoredRule): void {
  print(options, rule, { text: ruleText, names: ({ id }) => id })
}

type RuleRecord = NonNullable<StoredRule['record']>

function recordText(record: RuleRecord): string {
  if ('id' in record) return `record ${record.id}`
  if ('image' in record) return `record ${record.image}`
  if ('copyFrom' in record) return `the prioritized files of ${record.copyFrom}`
  if ('inline' in record) return `a record of ${countText(record.inline.length, 'entry', 'entries')}`
  const { workload } = record.match
  return `the newest record of the image${workload === undefined ? '' : ` and the workload ${workload}`}`
}

function ruleText(rule: StoredRule): string {
  const { id, name, enabled, source, tags, exceptTags, target, record, onRecord, overwrite } = rule
  const except = exceptTags.length === 0 ? '' : ` except ${exceptTags.join(', ')}`
  const notes = [
    ...(record ? [recordText(record)] : []),
    ...(onRecord ? ['again with each new record'] : []),
    ...(overwrite ? ['moves tags'] : []),
  ]
  return [
    `${id} ${name}${enabled ? '' : ' (not enabled)'}`,
    `  ${source} with the tags ${tags.join(', ')}${except} to ${target}`,
    ...(notes.length === 0 ? [] : [`  ${notes.join('; ')}`]),
    '',
  ].join('\n')
}
