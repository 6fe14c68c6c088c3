import { type Command, Option } from 'commander'
import { ConversionOptions } from '../../conversion/request.ts'
import { collect, label, platform, priority, reference } from '../arguments.ts'
import { CommandError } from '../failures/errors.ts'
import { labelsOf } from '../jobs/job-options.ts'

/** The options that fill the fields of a rule. */
export type RuleOptions = {
  readonly name?: string
  readonly source?: string
  readonly target?: string
  readonly tag?: string[]
  readonly exceptTag?: string[]
  readonly platform?: string[]
  readonly recordImage?: string
  readonly recordMatch?: string | true
  readonly format?: string
  readonly compression?: string
  readonly onRecord?: boolean
  readonly overwrite?: boolean
  readonly label?: string[]
  readonly priority?: number
  readonly enabled?: boolean
}

const { format, compression } = ConversionOptions.shape

/** Adds the options that fill the fields of a rule. */
export function addRuleOptions(command: Command): Command {
  return command
    .optionsGroup('Rule:')
    .option('--name <name>', 'a name for people')
    .option(
      '--source <glob>',
      'images to convert: a glob over host and repository, such as registry.example/team/**',
    )
    .option('--tag <glob>', 'tags to convert; can be given more than once; default: *', collect(String))
    .option('--except-tag <glob>', 'tags to leave out; can be given more than once', collect(String))
    .option('--target <template>', 'where to push the result, such as {host}/{repository}:{tag}-esgz')
    .option(
      '--platform <platform>',
      'os/architecture[/variant]; can be given more than once',
      collect(platform),
    )
    .option('--record-image <reference>', 'apply a record file image', reference)
    .option(
      '--record-match [workload]',
      'apply the newest record file image that was published for the image',
    )
    .option('--on-record', 'convert an image again when a new record for it arrives; needs --overwrite')
    .option('--overwrite', 'move target tags that point elsewhere')
    .addOption(new Option('--format <format>', 'the format of the layers').choices(format.unwrap().options))
    .addOption(
      new Option('--compression <method>', 'how layers are compressed').choices(compression.unwrap().options),
    )
    .option('--label <key=value>', 'a label of each conversion; can be given more than once', collect(label))
    .option('--priority <number>', '-100 to 100, higher ones run first; default: 0', priority)
    .option('--enabled', 'apply the rule; default for a new one')
    .option('--no-enabled', 'keep the rule, and do not apply it')
    .optionsGroup('Options:')
}

/** Returns the fields of a rule that the options fill. @throws CommandError if they contradict each other */
export function ruleFields(
  options: RuleOptions,
  rule: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const { tag, exceptTag, platform: platforms, recordImage, recordMatch, label: labels } = options
  if (recordImage !== undefined && recordMatch !== undefined) {
    throw new CommandError('usage', 'give only one of --record-image and --record-match')
  }
  const match = recordMatch === true ? {} : { workload: recordMatch }
  const conversion = {
    ...(options.format !== undefined && { format: options.format }),
    ...(options.compression !== undefined && { compression: options.compression }),
  }
  const simple = ['name', 'source', 'target', 'onRecord', 'overwrite', 'priority', 'enabled'] as const
  return {
    ...Object.fromEntries(
      simple.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
    ),
    ...(tag && { tags: tag }),
    ...(exceptTag && { exceptTags: exceptTag }),
    ...(platforms && { platforms }),
    ...(recordImage !== undefined && { record: { image: recordImage } }),
    ...(recordMatch !== undefined && { record: { match } }),
    ...(labels && { labels: labelsOf(labels) }),
    ...(Object.keys(conversion).length > 0 && {
      options: { ...(rule.options as object | undefined), ...conversion },
    }),
  }
}
