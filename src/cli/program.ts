import { Command } from 'commander'
import { VERSION } from '../app/version.ts'
import { addAuditCommands } from './audit/audit.ts'
import { addBatchCommands } from './batches/batches.ts'
import { addCacheCommands } from './cache/cache.ts'
import { addCompletionCommand } from './completion/completion.ts'
import { addConversionCommands } from './conversions/conversions.ts'
import { addEventsCommand } from './events/events.ts'
import { setUpHelp } from './help/command-help.ts'
import { describeCommand } from './help/describe-command.ts'
import { SETTING_GROUPS } from './help/setting-groups.ts'
import { addServerImageCommands } from './images/images.ts'
import { addRecordImageCommands } from './images/record-images.ts'
import { addConvertCommand } from './local/convert.ts'
import { addImageCommands } from './local/inspect-images.ts'
import { addLoginCommands } from './login/login.ts'
import { addServerCommands } from './login/servers.ts'
import { addWhoamiCommand } from './login/whoami.ts'
import { addProjectCommands } from './project/projects.ts'
import { addCombineCommands } from './records/combine-records.ts'
import { addRecordCommands } from './records/records.ts'
import { addRetainCommand } from './records/retain-records.ts'
import { addRegistryCredentialCommands } from './registry-credential/registry-credentials.ts'
import { addRuleCommands } from './rules/rules.ts'
import { addTokenCommands } from './token/tokens.ts'
import { addVerificationCommands } from './verifications/verifications.ts'

/** The commands that run until a signal stops them. */
export type Roles = { readonly serve: () => Promise<void>; readonly work: () => Promise<void> }

const SERVER_SETTINGS = SETTING_GROUPS.filter((group) => group !== 'commands')

/** Creates the tree of all commands. Help, completion and the documentation are made from it. */
export function createProgram({ serve, work }: Roles): Command {
  const program = new Command('record-broker')
    .description('Publishes the start-up records of containers, and converts images to eStargz with them.')
    .version(VERSION, '-V, --version', 'print the version')
  setUpHelp(program)
  program.commandsGroup('Server:')
  describeCommand(
    program.command('serve').description('run the HTTP server, and a worker process beside it').action(serve),
    {
      examples: [
        ['serve', 'serve http://127.0.0.1:8080, with an embedded registry and its data in ./data'],
        ['help settings', 'list all settings'],
      ],
      settings: SERVER_SETTINGS,
    },
  )
  describeCommand(
    program
      .command('worker')
      .description('run a worker, which takes jobs from the database of a broker')
      .action(work),
    {
      examples: [['worker', 'run jobs from the database that DATABASE_URL names']],
      settings: [
        'server',
        'observability',
        'jobs',
        'registries',
        'conversions',
        'bounds of records',
        'bounds of images',
      ],
    },
  )
  program.commandsGroup('Images, without a broker:')
  addConvertCommand(program)
  addImageCommands(program)
  program.commandsGroup('With a broker:')
  addConversionCommands(program)
  addBatchCommands(program)
  addVerificationCommands(program)
  const record = program.command('record').description('manage the records of a broker')
  addRecordCommands(record)
  addCombineCommands(record)
  addRetainCommand(record)
  addRecordImageCommands(program)
  addServerImageCommands(program)
  addRuleCommands(program)
  addCacheCommands(program)
  addRegistryCredentialCommands(program)
  addEventsCommand(program)
  addAuditCommands(program)
  addProjectCommands(program)
  addTokenCommands(program)
  program.commandsGroup('Set up:')
  addLoginCommands(program)
  addServerCommands(program)
  addWhoamiCommand(program)
  addCompletionCommand(program)
  return program
}
