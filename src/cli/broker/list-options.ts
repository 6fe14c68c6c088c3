import type { Command } from 'commander'
import { count, time } from '../arguments.ts'

/** The options of a list that is bounded in time. */
export type PeriodOptions = { readonly since?: string; readonly until?: string }

/**
 * Adds the options that bound a list in time.
 * @param those what the list has, such as `only those created`
 */
export function addPeriodOptions(command: Command, those: string): Command {
  return command
    .option('--since <time>', `${those} at this time or later: RFC 3339, a date, or 30m, 12h, 7d ago`, time)
    .option('--until <time>', `${those} before this time`, time)
}

/** Adds the option that bounds the length of a list. */
export function addLimitOption(command: Command, things: string): Command {
  return command.option('--limit <count>', `the maximum number of ${things}; 0 lists all`, count, 50)
}
