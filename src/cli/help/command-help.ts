import type { Command } from 'commander'
import { EXIT_STATUSES } from '../failures/exit-status.ts'
import { allSettingsText, DEFAULT_COLUMNS } from './settings-text.ts'

/** The pages that `help` shows besides those of commands. */
const TOPICS = ['settings', 'exit-status'] as const

/** Sets up what all commands inherit: their help, and the errors for wrong arguments. Call it before commands are added. */
export function setUpHelp(program: Command): void {
  program
    .showHelpAfterError('(record-broker COMMAND --help lists the arguments)')
    .helpOption('-h, --help', 'show this help')
    .configureHelp({ showGlobalOptions: false })
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .helpCommand(false)
    // Messages about wrong arguments quote them, and a URL may have a password.
    .configureOutput({ outputError: (text, write) => write(text.replaceAll(/:\/\/[^/@\s']*@/g, '://***@')) })
    .addHelpText(
      'after',
      [
        '',
        'record-broker COMMAND --help shows the options and examples of a command.',
        'record-broker help settings lists all settings, and record-broker help exit-status the exit statuses.',
      ].join('\n'),
    )
  program
    .command('help')
    .description('show the help of a command, the settings, or the exit statuses')
    .argument('[topic...]', 'a command, settings or exit-status')
    .action((topic: string[]) => showTopic(program, topic))
}

function showTopic(program: Command, topic: readonly string[]): void {
  const [first] = topic
  if (first === TOPICS[0]) {
    process.stdout.write(`${allSettingsText(process.stdout.columns ?? DEFAULT_COLUMNS)}\n`)
    return
  }
  if (first === TOPICS[1]) {
    process.stdout.write(exitStatusText())
    return
  }
  let command = program
  for (const name of topic) {
    const next = command.commands.find((one) => one.name() === name)
    if (!next) program.error(`error: there is no help for '${topic.join(' ')}'`, { exitCode: 2 })
    else command = next
  }
  command.outputHelp()
}

function exitStatusText(): string {
  return EXIT_STATUSES.map(([status, meaning]) => `${status.padStart(4)}  ${meaning}\n`).join('')
}
