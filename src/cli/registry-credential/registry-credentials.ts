import type { Command } from 'commander'
import type { ResponseDocument } from '../../client/broker-request.ts'
import { listItems, listText } from '../broker/list-items.ts'
import { addLimitOption } from '../broker/list-options.ts'
import { addBrokerOptions, type BrokerOptions, withBroker } from '../broker/with-broker.ts'
import { CommandError } from '../failures/errors.ts'
import { describeCommand } from '../help/describe-command.ts'
import { print } from '../print.ts'
import { readSecret } from '../terminal/secret-input.ts'

type StoredCredential = ResponseDocument<'get', '/v1/registry-credentials/{host}'>

type SetOptions = BrokerOptions & { readonly username: string; readonly passwordStdin?: boolean }

/** Adds `registry-credential set`, `list` and `delete`. */
export function addRegistryCredentialCommands(program: Command): void {
  const credential = program
    .command('registry-credential')
    .description('manage the credentials with which the jobs of a project use registries')
  const set = credential
    .command('set')
    .description('store the credential of a registry, or replace it')
    .argument('<host>', 'the registry, host[:port]; Docker Hub is docker.io')
    .requiredOption('--username <name>', "the user name; '<token>' for an identity token")
    .option('--password-stdin', 'read the password from standard input; default: ask for it on the terminal')
  describeCommand(addBrokerOptions(set).action(setCredential), {
    examples: [
      [
        'registry-credential set registry.example --username robot --password-stdin < password.txt',
        'store what a robot account needs',
      ],
    ],
    settings: ['commands'],
  })
  const list = credential
    .command('list')
    .description('list credentials by project and registry; passwords are never shown')
  addBrokerOptions(addLimitOption(list, 'credentials')).action(listCredentials)
  addBrokerOptions(
    credential
      .command('delete')
      .description('delete the credential of a registry')
      .argument('<host>', 'the registry, host[:port]'),
  ).action(deleteCredential)
}

async function setCredential(host: string, options: SetOptions, command: Command): Promise<void> {
  const { username, passwordStdin = false } = options
  const typed = await readSecret('password', {
    fromStdin: passwordStdin,
    option: '--password-stdin',
    prompt: `Password of ${username} for ${host}:`,
  })
  // Editors and echo end a file with a line break. Passwords may have others: some are JSON documents.
  const password = typed.replace(/\r?\n$/, '')
  if (password === '') throw new CommandError('usage', 'the password is empty')
  const stored = await withBroker(command, ({ client, signal }) =>
    client.put('/v1/registry-credentials/{host}', {
      params: { path: { host } },
      body: { username, password },
      signal,
    }),
  )
  print(options, stored, {
    text: ({ project }) => `the project ${project} uses ${stored.host} as ${stored.username} now\n`,
    names: (shown) => shown.host,
  })
}

async function listCredentials(
  options: BrokerOptions & { readonly limit: number },
  command: Command,
): Promise<void> {
  const { limit } = options
  const list = await withBroker(command, ({ client, signal }) =>
    listItems(client, '/v1/registry-credentials', { limit, signal }),
  )
  print(options, list, {
    text: (credentials) => listText(credentials, credentialText),
    names: ({ items }) => items.map(({ host }) => host),
  })
}

function credentialText({ project, host, username, updatedAt }: StoredCredential): string {
  return `${project}: ${host} as ${username}, since ${updatedAt}\n`
}

async function deleteCredential(host: string, options: BrokerOptions, command: Command): Promise<void> {
  await withBroker(command, ({ client, signal }) =>
    client.delete('/v1/registry-credentials/{host}', { params: { path: { host } }, signal }),
  )
  print(options, { host }, { text: () => `the credential for ${host} was deleted\n`, names: () => host })
}
