import { type Command, Option } from 'commander'
import { RecordFormat } from '../../records/model.ts'
import { collect, label, reference } from '../arguments.ts'
import { addBrokerOptions, type BrokerOptions, withBroker } from '../broker/with-broker.ts'
import { describeCommand } from '../help/describe-command.ts'
import { printRecord } from './print-record.ts'
import { type ProfileOptions, profileQuery, uploadProfile } from './upload-profile.ts'

type PushOptions = BrokerOptions & ProfileOptions

/** Adds `record push`. */
export function addPushCommand(record: Command): void {
  describeCommand(
    addBrokerOptions(
      record
        .command('push')
        .description('upload the output of a profiler')
        .argument('<file>', 'the output, compressed or not; - reads standard input')
        .option('--image <reference>', 'the profiled image', reference)
        .option('--workload <name>', 'the profiled workload, such as serve')
        .addOption(
          new Option('--format <format>', 'the format of the file; default: detected').choices(
            RecordFormat.options,
          ),
        )
        .option(
          '--working-directory <path>',
          'the working directory of the profiled program, for relative paths',
        )
        .option('--root <path>', "the container's root on the profiled host, removed from every path")
        .option('--exclude <glob>', 'paths to leave out; can be given more than once', collect(String))
        .option('--label <key=value>', 'a label of the record; can be given more than once', collect(label))
        .option('--publish [reference]', 'publish the record as a record file image, too'),
    ).action(pushRecord),
    {
      examples: [
        [
          'record push opened.txt --image registry.example/team/app:1.0 --workload serve --publish',
          'upload and publish',
        ],
        ['record push - --image registry.example/team/app:1.0 < opened.txt', 'from standard input'],
      ],
      settings: ['commands'],
    },
  )
}

async function pushRecord(path: string, options: PushOptions, command: Command): Promise<void> {
  const query = profileQuery(options)
  const record = await withBroker(command, (context) => uploadProfile(context, path, query), {
    file: path,
  })
  printRecord(options, record)
}
