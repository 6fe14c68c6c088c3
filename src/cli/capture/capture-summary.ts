import { createReadStream } from 'node:fs'
import { loadConfig } from '../../app/config/config.ts'
import { readRecord } from '../../records/formats/read-record.ts'
import { CommandError } from '../failures/errors.ts'
import type { Capture } from './capture-command.ts'

/** How many of the first files are named. */
const NAMED_FILES = 5

/**
 * Describes what a command opened, as the broker will read it.
 * @throws CommandError if it opened nothing that a record can hold; RecordError
 */
export async function describeCapture({ log, format, root }: Capture): Promise<string> {
  const { entries, notes } = await readRecord(createReadStream(log), {
    ...loadConfig().bounds.record,
    format,
    ...(root !== undefined && { root }),
  }).catch((error: Error) => {
    throw new CommandError('failed', `the command opened no file that a record can hold: ${error.message}`, {
      cause: error,
    })
  })
  const first = entries.slice(0, NAMED_FILES).map(({ path }) => `  /${path}`)
  const more = entries.length > first.length ? [`  and ${entries.length - first.length} more`] : []
  const warnings = (notes.warnings ?? []).map((warning) => `warning: ${warning}`)
  return [
    `The command opened ${entries.length} files, in this order:`,
    ...first,
    ...more,
    ...warnings,
    '',
  ].join('\n')
}
