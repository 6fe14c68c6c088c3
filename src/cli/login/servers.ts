import type { Command } from 'commander'
import { loadClientSettings } from '../../app/config/client-settings.ts'
import { serverUrl } from '../broker/with-broker.ts'
import { CommandError } from '../failures/errors.ts'
import { print } from '../print.ts'
import { ConfigFile } from './config-file.ts'

/** A broker that a user has logged in to. */
type ServerView = { readonly url: string; readonly current: boolean; readonly hasToken: boolean }

/** Adds `server list` and `server use`. */
export function addServerCommands(program: Command): void {
  const server = program.command('server').description('choose among the brokers that you have logged in to')
  server
    .command('list')
    .description('list the brokers; the current one has a star')
    .option('--json', 'print the list as JSON')
    .action(listServers)
  server
    .command('use')
    .description('make a broker the current one')
    .argument('<url>', 'the address of the broker', serverUrl)
    .action(useServer)
}

async function listServers(options: { readonly json?: boolean }): Promise<void> {
  const { current, servers } = await new ConfigFile(loadClientSettings().configFolder).read()
  const items = Object.entries(servers).map(
    ([url, { token }]): ServerView => ({ url, current: url === current, hasToken: token !== undefined }),
  )
  print(
    options,
    { items },
    {
      text: (list) =>
        list.items.map(({ url, current: isCurrent }) => `${isCurrent ? '*' : ' '} ${url}\n`).join(''),
      names: (list) => list.items.map(({ url }) => url),
    },
  )
}

async function useServer(url: string): Promise<void> {
  const file = new ConfigFile(loadClientSettings().configFolder)
  const logins = await file.read()
  if (!Object.hasOwn(logins.servers, url)) {
    throw new CommandError('usage', `there is no login for ${url}: run record-broker login ${url}`)
  }
  await file.write({ ...logins, current: url })
}
