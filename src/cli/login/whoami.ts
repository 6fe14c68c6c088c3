import type { Command } from 'commander'
import type { ResponseDocument } from '../../client/broker-request.ts'
import { addBrokerOptions, type BrokerOptions, withBroker } from '../broker/with-broker.ts'
import { print } from '../print.ts'

type Caller = ResponseDocument<'get', '/v1/caller'>

/** Adds `whoami`. */
export function addWhoamiCommand(program: Command): void {
  addBrokerOptions(
    program.command('whoami').description('show who the broker takes you for, and what you may do'),
  ).action(showCaller)
}

async function showCaller(options: BrokerOptions, command: Command): Promise<void> {
  const caller = await withBroker(command, ({ client, signal }) => client.get('/v1/caller', { signal }))
  print(options, caller, { text: callerText, names: ({ subject }) => subject })
}

function callerText({
  subject,
  kind,
  issuer,
  project,
  seesAllProjects,
  scopes,
  read,
  write,
}: Caller): string {
  return [
    `${subject} (${kind}${issuer === undefined ? '' : ` of ${issuer}`})`,
    `  project ${project}${seesAllProjects ? ', and sees all others' : ''}`,
    `  ${scopes.join(', ')}`,
    ...patternLines('reads', read),
    ...patternLines('writes', write),
    '',
  ].join('\n')
}

/** Each list must allow a repository. */
function patternLines(verb: string, lists: readonly (readonly string[])[]): string[] {
  return lists.map(
    (patterns) => `  ${verb} ${patterns.length === 0 ? 'nothing' : `only ${patterns.join(', ')}`}`,
  )
}
