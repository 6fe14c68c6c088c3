import type { Command } from 'commander'
import { loadClientSettings } from '../../app/config/client-settings.ts'
import { createBrokerClient } from '../../client/broker-client.ts'
import { BrokerError } from '../../client/broker-error.ts'
import { brokerFailure } from '../broker/broker-failure.ts'
import { createBrokerFetch } from '../broker/broker-fetch.ts'
import type { SelectedBroker } from '../broker/select-broker.ts'
import { serverUrl } from '../broker/with-broker.ts'
import { CommandError } from '../failures/errors.ts'
import { describeCommand } from '../help/describe-command.ts'
import { readSecret } from '../terminal/secret-input.ts'
import { ConfigFile } from './config-file.ts'

const LOOPBACK = /^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)(:|\/|$)/

/** Adds `login` and `logout`. */
export function addLoginCommands(program: Command): void {
  describeCommand(
    program
      .command('login')
      .description('store a token for a broker, and make that the current one')
      .argument('<url>', 'the address of the broker', serverUrl)
      .option('--token-stdin', 'read the token from standard input; default: ask for it on the terminal')
      .action(login),
    {
      examples: [
        ['login https://broker.example', 'ask for the token, check it, and store it'],
        ['login https://broker.example --token-stdin < token.txt', 'the same in a script'],
      ],
      settings: ['commands'],
    },
  )
  program
    .command('logout')
    .description('remove the stored token of a broker')
    .argument('[url]', 'the address of the broker; default: the current one', serverUrl)
    .action(logout)
}

async function login(
  url: string,
  options: { readonly tokenStdin?: boolean },
  command: Command,
): Promise<void> {
  const settings = loadClientSettings()
  const file = new ConfigFile(settings.configFolder)
  // Read first: nobody should type a token that cannot be stored.
  const logins = await file.read()
  await using fetch = createBrokerFetch(url, settings)
  const accepts = async (token: string | undefined): Promise<boolean> => {
    const broker: SelectedBroker = { url, token, from: 'option' }
    try {
      const client = createBrokerClient({ baseUrl: url, token, fetch, retry: { attempts: 1 } })
      await client.get('/v1/caller')
      return true
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      if (error.status === 401) return false
      // A broker before 0.3 has no such route, and looks at the token first.
      if (error.code === 'NO_SUCH_ROUTE') return true
      throw brokerFailure(error, { broker, command })
    }
  }
  const needsToken = options.tokenStdin || !(await accepts(undefined))
  if (needsToken && url.startsWith('http:') && !LOOPBACK.test(url)) {
    process.stderr.write(`warning: ${url} has no TLS, so that others in the network can read the token\n`)
  }
  const token = needsToken ? await readToken(url, options.tokenStdin) : undefined
  if (token !== undefined && !(await accepts(token))) {
    throw new CommandError('unauthorized', `${url} refuses the token; nothing was stored`)
  }
  const servers = { ...logins.servers, [url]: token === undefined ? {} : { token } }
  await file.write({ ...logins, current: url, servers })
  const what =
    token === undefined ? `${url} needs no token` : `the token for ${url} was stored in ${file.path}`
  process.stderr.write(`${what}; commands use this broker now\n`)
}

async function readToken(url: string, fromStdin: boolean | undefined): Promise<string> {
  const token = (
    await readSecret('token', {
      fromStdin: fromStdin === true,
      option: '--token-stdin',
      prompt: `Token for ${url}:`,
    })
  ).trim()
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new CommandError(
    'usage',
    token === '' ? 'the token is empty' : 'a token has printable characters, and no spaces',
  )
}

async function logout(url: string | undefined): Promise<void> {
  const file = new ConfigFile(loadClientSettings().configFolder)
  const { current, servers } = await file.read()
  const server = url ?? current
  if (server === undefined || !Object.hasOwn(servers, server)) {
    const known = Object.keys(servers)
    const hint = known.length === 0 ? 'there are no logins' : `there are logins for ${known.join(', ')}`
    throw new CommandError(
      'usage',
      server === undefined
        ? `no broker is the current one, so name it; ${hint}`
        : `there is no login for ${server}; ${hint}`,
    )
  }
  const { [server]: _, ...others } = servers
  await file.write({ servers: others, ...(current !== undefined && current !== server && { current }) })
  process.stderr.write(`the login for ${server} was removed\n`)
}
