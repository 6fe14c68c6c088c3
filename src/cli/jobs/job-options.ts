import { type Command, Option } from 'commander'
import { collect, count, label, oneOf, priority, reference, time } from '../arguments.ts'

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

/** The options of every command that selects jobs. */
export type FilterOptions = {
  readonly state?: JobState[]
  readonly label?: string[]
  readonly repository?: string
  readonly since?: string
  readonly until?: string
}

/** Adds the options that select jobs. */
export function addFilterOptions(
  command: Command,
  kinds: string,
  states: readonly JobState[] = JOB_STATES,
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
    .option('--repository <name>', `only ${kinds} from or to this repository, host/name`, reference)
    .option(
      '--since <time>',
      'only those created at this time or later: RFC 3339, a date, or 30m, 12h, 7d ago',
      time,
    )
    .option('--until <time>', 'only those created before this time', time)
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

/** Adds the option that bounds a list. */
export function addLimitOption(command: Command, things: string): Command {
  return command.option('--limit <count>', `the maximum number of ${things}; 0 lists all`, count, 50)
}
