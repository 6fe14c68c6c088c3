import { type Command, Option } from 'commander'
import { collect, label, oneOf, priority, reference } from '../arguments.ts'
import { addPeriodOptions, type PeriodOptions } from '../broker/list-options.ts'

/** The states of a job, as the broker names them. */
export const JOB_STATES = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const
export type JobState = (typeof JOB_STATES)[number]

/** The options of every command that creates a job. */
export type NewJobOptions = {
  readonly label?: string[]
  readonly priority?: number
  readonly callback?: string
  readonly wait?: boolean
}

/** Adds the options of a new job. */
export function addNewJobOptions(command: Command, kind: string): Command {
  return command
    .optionsGroup('Job:')
    .option('--label <key=value>', 'a label to search by; can be given more than once', collect(label))
    .option('--priority <number>', '-100 to 100, higher ones run first; default: 0', priority)
    .option('--callback <url>', `where the broker reports the end of the ${kind}`)
    .option('--wait', `wait until the ${kind} has finished; default: print its id`)
    .optionsGroup('Options:')
}

/** Returns the fields of a request that the options of a new job fill. */
export function newJobFields({ label: labels, priority: value, callback }: NewJobOptions) {
  return {
    ...(labels && { labels: labelsOf(labels) }),
    ...(value !== undefined && { priority: value }),
    ...(callback !== undefined && { callbackUrl: callback }),
  }
}

/** Returns labels of the form `key=value` as an object. */
export function labelsOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text): [string, string] => {
      const separator = text.indexOf('=')
      return [text.slice(0, separator), text.slice(separator + 1)]
    }),
  )
}

/** The options of every command that selects jobs; batches have no repository. */
export type FilterOptions = PeriodOptions & {
  readonly state?: JobState[]
  readonly label?: string[]
  readonly repository?: string
}

/** Adds the options that select jobs. */
export function addFilterOptions(
  command: Command,
  kinds: string,
  states: readonly JobState[] = JOB_STATES,
): Command {
  addStateAndLabelOptions(command, kinds, states)
  command.option('--repository <name>', `only ${kinds} from or to this repository, host/name`, reference)
  return addPeriodOptions(command, 'only those created')
}

/** Adds the options that select jobs, or batches of them, by state and label. */
export function addStateAndLabelOptions(
  command: Command,
  kinds: string,
  states: readonly JobState[],
): Command {
  return command
    .addOption(
      new Option('--state <state>', `only ${kinds} in this state; can be given more than once`)
        .choices(states)
        .argParser(collect(oneOf(states))),
    )
    .option(
      '--label <key=value>',
      `only ${kinds} with this label; can be given more than once`,
      collect(label),
    )
}

/** Returns the query that the options which select jobs fill. */
export function filterQuery({ state, label: labels, repository, since, until }: FilterOptions) {
  return {
    ...(repository !== undefined && { repository }),
    ...(state && { state }),
    ...(labels && { label: labels }),
    ...(since !== undefined && { createdFrom: since }),
    ...(until !== undefined && { createdBefore: until }),
  }
}
