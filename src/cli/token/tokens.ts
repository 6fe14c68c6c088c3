import type { Command } from 'commander'
import { SCOPES, type Scope } from '../../access/scope.ts'
import { TOKEN_STATES, type TokenState } from '../../access/tokens/api-token.ts'
import type { ResponseDocument } from '../../client/broker-request.ts'
import { collect, duration, durationOrNever, oneOf, repositoryPattern } from '../arguments.ts'
import { listItems, listText } from '../broker/list-items.ts'
import { addLimitOption } from '../broker/list-options.ts'
import { addBrokerOptions, type BrokerOptions, withBroker } from '../broker/with-broker.ts'
import { describeCommand } from '../help/describe-command.ts'
import { print } from '../print.ts'
import { rightsText, stateText, tokenText } from './token-text.ts'

type NewToken = ResponseDocument<'post', '/v1/tokens'>

type CreateOptions = BrokerOptions & {
  readonly scope: Scope[]
  readonly read?: string[]
  readonly write?: string[]
  readonly expires?: number | 'never'
}
type ListOptions = BrokerOptions & {
  readonly limit: number
  readonly name?: string
  readonly state?: TokenState
}
type RotateOptions = BrokerOptions & { readonly overlap?: number; readonly expires?: number | 'never' }

/** Adds `token create`, `list`, `rotate` and `revoke`. */
export function addTokenCommands(program: Command): void {
  const token = program.command('token').description('manage the API tokens of a broker, as an administrator')
  addCreateCommand(token)
  const list = token
    .command('list')
    .description('list tokens without their secrets, newest first')
    .option('--name <name>', 'only tokens with this name')
    .option('--state <state>', `only tokens in this state: ${TOKEN_STATES.join(', ')}`, oneOf(TOKEN_STATES))
  addBrokerOptions(addLimitOption(list, 'tokens')).action(listTokens)
  const rotate = token
    .command('rotate')
    .description('replace a token by one with the same rights; print the new token')
    .argument('<id>', 'id of the token')
    .option('--overlap <time>', 'how long the former token remains valid, such as 1h; default: 24h', duration)
    .option(
      '--expires <time>',
      'how long the new one is valid, or never; default: as the former',
      durationOrNever,
    )
  describeCommand(addBrokerOptions(rotate).action(rotateToken), {
    examples: [
      ['token rotate ID --overlap 1h', 'give a client an hour to change to the new token'],
      ['token rotate ID --overlap 0s', 'end a token that has become known, and replace it'],
    ],
    settings: ['commands'],
  })
  addBrokerOptions(
    token.command('revoke').description('end a token for good').argument('<id>', 'id of the token'),
  ).action(revokeToken)
}

function addCreateCommand(token: Command): void {
  const create = token
    .command('create')
    .description('create a token, and print it; it is shown this once')
    .argument('<name>', 'what the token is for')
    .requiredOption(
      '--scope <scope>',
      `what it allows, see docs/api.md; can be given more than once: ${SCOPES.join(', ')}`,
      collect(oneOf(SCOPES)),
    )
    .option(
      '--read <pattern>',
      'repositories that it may read, of those of its project; can be given more than once; default: **',
      collect(repositoryPattern),
    )
    .option(
      '--write <pattern>',
      'repositories that it may write, of those of its project; can be given more than once; default: **',
      collect(repositoryPattern),
    )
    .option('--expires <time>', 'how long it is valid, such as 30d, or never; default: 90d', durationOrNever)
  describeCommand(addBrokerOptions(create).action(createToken), {
    examples: [
      [
        'token create ci --project team-a --scope records:write --scope conversions:write --scope conversions:read',
        'let the builds of a team upload records, convert the images of its project, and wait for the result',
      ],
      [
        'token create auditor --project default --scope records:read --scope conversions:read --expires 7d',
        'let somebody see what belongs to the project default, for a week',
      ],
    ],
    settings: ['commands'],
  })
}

async function createToken(name: string, options: CreateOptions, command: Command): Promise<void> {
  const { scope, read, write, expires } = options
  const body = {
    name,
    scopes: scope,
    ...(read && { read }),
    ...(write && { write }),
    ...lifetimeOf(expires),
  }
  const created = await withBroker(command, ({ client, signal }) =>
    client.post('/v1/tokens', { body, signal }),
  )
  printSecret(options, created)
}

async function rotateToken(id: string, options: RotateOptions, command: Command): Promise<void> {
  const { overlap, expires } = options
  const body = {
    ...(overlap !== undefined && { overlapSeconds: overlap }),
    ...lifetimeOf(expires),
  }
  const created = await withBroker(command, ({ client, signal }) =>
    client.post('/v1/tokens/{id}/rotation', { params: { path: { id } }, body, signal }),
  )
  printSecret(options, created)
}

function lifetimeOf(expires: number | 'never' | undefined): { lifetimeSeconds?: number | null } {
  if (expires === undefined) return {}
  return { lifetimeSeconds: expires === 'never' ? null : expires }
}

/** Standard output has the token alone, so that `TOKEN=$(record-broker token create …)` works. */
function printSecret(options: BrokerOptions, created: NewToken): void {
  if (!options.json && !options.quiet) {
    const { id, name, project } = created
    process.stderr.write(
      `token ${id}, ${name}, of ${project}: ${rightsText(created)}; ${stateText(created)}\nthe token is shown this once:\n`,
    )
  }
  print(options, created, { text: ({ token }) => `${token}\n`, names: ({ token }) => token })
}

async function listTokens(options: ListOptions, command: Command): Promise<void> {
  const { limit, name, state } = options
  const query = { ...(name !== undefined && { name }), ...(state !== undefined && { state }) }
  const list = await withBroker(command, ({ client, signal }) =>
    listItems(client, '/v1/tokens', { limit, query, signal }),
  )
  print(options, list, {
    text: (tokens) => listText(tokens, tokenText),
    names: ({ items }) => items.map(({ id }) => id),
  })
}

async function revokeToken(id: string, options: BrokerOptions, command: Command): Promise<void> {
  await withBroker(command, ({ client, signal }) =>
    client.delete('/v1/tokens/{id}', { params: { path: { id } }, signal }),
  )
  print(options, { id }, { text: () => `token ${id} was revoked\n`, names: () => id })
}
