import { Command } from 'commander'
import { ConfigError, SETTINGS } from '../app/config.ts'
import { statusOfSignal } from '../app/stop-signals.ts'
import { VERSION } from '../app/version.ts'
import { addCombineCommands } from './combine-records.ts'
import { addConvertCommand } from './convert.ts'
import { InterruptedError } from './errors.ts'
import { addImageCommands } from './inspect-images.ts'
import { addRecordCommands } from './records.ts'
import { addRetainCommand } from './retain-records.ts'

/** The commands that run until they are told to stop. */
export type Roles = { readonly serve: () => Promise<void>; readonly work: () => Promise<void> }

/**
 * Runs the command that the arguments name. A failure prints one line on standard error and sets the exit
 * status to 1. Wrong arguments exit with 2, and a command that a signal interrupted exits with 128 plus the
 * signal's number.
 */
export async function runCommandLine(argv: readonly string[], roles: Roles): Promise<void> {
  try {
    await commands(roles).parseAsync(argv)
  } catch (error) {
    const { message, code } = error as { message: string; code?: unknown }
    const label = error instanceof ConfigError || typeof code !== 'string' ? '' : `${code}: `
    process.stderr.write(`record-broker: ${label}${message.replaceAll('\n', ' ')}\n`)
    process.exitCode = error instanceof InterruptedError ? statusOfSignal(error.signal) : 1
  }
}

function commands({ serve, work }: Roles): Command {
  const program = new Command('record-broker')
    .description('Publishes the start-up records of containers, and converts images to eStargz with them.')
    .showHelpAfterError('(record-broker COMMAND --help lists the arguments)')
    .version(VERSION)
    .addHelpText('after', settingsText())
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  program.command('serve').description('run the HTTP server, and a worker process beside it').action(serve)
  program
    .command('worker')
    .description('run a worker, which takes jobs from the database of a broker')
    .action(work)
  addConvertCommand(program)
  addImageCommands(program)
  const record = program.command('record').description('manage the records of a broker')
  addRecordCommands(record)
  addCombineCommands(record)
  addRetainCommand(record)
  return program
}

function settingsText(): string {
  const width = Math.max(...SETTINGS.map(({ name }) => name.length))
  const lines = SETTINGS.map(({ name, description }) => `  ${name.padEnd(width)}  ${description}`)
  return `\nSettings, read from the environment or from the file that RECORD_BROKER_CONFIG names:\n${lines.join('\n')}\n`
}
