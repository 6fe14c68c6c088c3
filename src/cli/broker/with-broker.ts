import { type Command, InvalidArgumentError } from 'commander'
import { loadClientSettings } from '../../app/config/client-settings.ts'
import { parseServerUrl } from '../../app/config/setting-values.ts'
import { onStopSignal } from '../../app/stop-signals.ts'
import { type BrokerClient, createBrokerClient } from '../../client/broker-client.ts'
import { BrokerError } from '../../client/broker-error.ts'
import { projectName } from '../arguments.ts'
import { CommandError, InterruptedError } from '../failures/errors.ts'
import { invalidFieldsText } from '../failures/field-names.ts'
import { ConfigFile } from '../login/config-file.ts'
import { openProgress, QUIET_OPTION } from '../terminal/open-progress.ts'
import type { Progress } from '../terminal/progress.ts'
import { waitingView } from '../terminal/progress-view.ts'
import { brokerFailure } from './broker-failure.ts'
import { createBrokerFetch } from './broker-fetch.ts'
import { type SelectedBroker, selectBroker } from './select-broker.ts'

/** The options of every command that sends requests to a broker. */
export type BrokerOptions = {
  readonly server?: string
  readonly project?: string
  readonly json?: boolean
  readonly quiet?: boolean
}

/** Requests are repeated while the broker is busy, but not for so long that people wonder. */
const RETRY = { attempts: 3, maxWaitMs: 10_000 }

/** What a command does its work with. */
export type BrokerContext = {
  readonly client: BrokerClient
  readonly broker: SelectedBroker
  /** The project that the options or the settings name. */
  readonly project: string | undefined
  readonly progress: Progress
  /** Aborts at the first stop signal, with an {@link InterruptedError}. */
  readonly signal: AbortSignal
  /** Changes the message of the command when it is interrupted: what goes on, and how to stop that. */
  readonly whenInterrupted: (message: string) => void
  /** Adds to the message of a request that fails from now on: what earlier requests have done. */
  readonly whenFailed: (addition: string) => void
}

type BrokerUse = {
  /** The file whose content the command sends. */
  readonly file?: string | undefined
  /** False: the project is a filter of the command. Default: the command works in it. */
  readonly isInProject?: boolean
}

/** Adds the options of commands that work in one project, or see all of them. */
export function addBrokerOptions(command: Command): Command {
  const text =
    'the project in which an administrator works; default: RECORD_BROKER_PROJECT, or all, and default for what is new'
  return addServerOptions(command).option('--project <name>', text, projectName)
}

/** Adds the options that all commands with a broker have. */
export function addServerOptions(command: Command): Command {
  return command
    .option('--server <url>', 'the broker; default: RECORD_BROKER_SERVER, or the current login', serverUrl)
    .option('--json', 'print the whole response as JSON')
    .option(...QUIET_OPTION)
}

/** Parses `--server`, for commander. */
export function serverUrl(text: string): string {
  try {
    return parseServerUrl(text)
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}

/**
 * Runs an action with a client of the broker that the options and settings select.
 * @param command the command that runs, whose options name invalid fields
 * @throws CommandError that names the server; InterruptedError
 */
export async function withBroker<Result>(
  command: Command,
  action: (context: BrokerContext) => Promise<Result>,
  { file, isInProject = true }: BrokerUse = {},
): Promise<Result> {
  const options = command.opts<BrokerOptions>()
  const settings = loadClientSettings()
  const broker = selectBroker(options.server, settings, await new ConfigFile(settings.configFolder).read())
  await using fetch = createBrokerFetch(broker.url, settings)
  const project = options.project ?? (hasProject(command) ? settings.project : undefined)
  const client = createBrokerClient({
    baseUrl: broker.url,
    token: broker.token,
    project: isInProject ? project : undefined,
    fetch,
    retry: RETRY,
  })
  const stop = new AbortController()
  let message = 'interrupted'
  let addition: string | undefined
  const removeListener = onStopSignal((signal) => stop.abort(new InterruptedError(signal, message)))
  using progress = openProgress(options)
  progress.follow(() => waitingView(`waiting for ${broker.url}`))
  try {
    return await action({
      client,
      broker,
      project,
      progress,
      signal: stop.signal,
      whenInterrupted: (text) => {
        message = text
      },
      whenFailed: (text) => {
        addition = text
      },
    })
  } catch (error) {
    if (error instanceof BrokerError) throw brokerFailure(error, { broker, command, file, addition })
    throw invalidPathFailure(error, command) ?? error
  } finally {
    removeListener()
  }
}

/** Commands that manage projects work in none of them. */
function hasProject({ options }: Command): boolean {
  return options.some((option) => option.attributeName() === 'project')
}

/** The client refuses arguments that would lead to another path, such as `..` for an id. */
function invalidPathFailure(error: unknown, command: Command): CommandError | undefined {
  const match = error instanceof TypeError && /^params\.path\.(\w+): (.*)$/s.exec(error.message)
  if (!match) return undefined
  const [, path = '', message = ''] = match
  return new CommandError('usage', invalidFieldsText([{ path, message }], command), { cause: error })
}
