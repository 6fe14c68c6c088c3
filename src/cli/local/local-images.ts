import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { openRegistries, recordFinder, sharedServices } from '../../app/composition.ts'
import { loadConfig } from '../../app/config/config.ts'
import { onStopSignal } from '../../app/stop-signals.ts'
import type { ConversionServices } from '../../conversion/services.ts'
import { DEFAULT_PROJECT } from '../../db/project-scope.ts'
import { parseReference } from '../../oci/reference.ts'
import { collect, host } from '../arguments.ts'
import { InterruptedError } from '../failures/errors.ts'
import { openProgress, QUIET_OPTION } from '../terminal/open-progress.ts'
import type { Progress } from '../terminal/progress.ts'

/** The options of every command that reads or writes registries in this process, without a broker. */
export type LocalOptions = {
  readonly plainHttp?: string[]
  readonly json?: boolean
  readonly quiet?: boolean
}

/** Adds the option that names registries without TLS. */
export function addPlainHttpOption(command: Command): Command {
  return command.option(
    '--plain-http <host>',
    'use plain HTTP with this registry; can be given more than once; default: RECORD_BROKER_PLAIN_HTTP',
    collect(host),
  )
}

/** Adds the options that all commands with a report have. */
export function addLocalOptions(command: Command): Command {
  return addPlainHttpOption(command)
    .option('--json', 'print the whole report as JSON')
    .option(...QUIET_OPTION)
}

/**
 * Runs `action` with the services of a conversion. The registries of `references` are allowed, whatever the
 * settings say: naming one on the command line is permission enough. The first stop signal aborts the signal
 * that `action` receives.
 */
export async function withServices<Result>(
  references: readonly (string | undefined)[],
  { plainHttp = [], quiet }: LocalOptions,
  action: (services: ConversionServices, signal: AbortSignal, progress: Progress) => Promise<Result>,
): Promise<Result> {
  const config = loadConfig()
  const hosts = references.flatMap((text) => (text === undefined ? [] : parseReference(text).host))
  using progress = openProgress({ quiet })
  const onWarning = (host: string, text: string) => progress.note(`warning from ${host}: ${text}`)
  const stop = new AbortController()
  const removeListener = onStopSignal((signal) => stop.abort(new InterruptedError(signal)))
  const scratchFolder = await mkdtemp(join(tmpdir(), 'record-broker-'))
  try {
    await using registries = openRegistries(config, { hosts, plainHttp, onWarning })
    const shared = sharedServices(config, { folder: scratchFolder })
    await using _threads = shared.threads
    const services: ConversionServices = {
      ...shared,
      project: DEFAULT_PROJECT,
      registries,
      findUploadedRecord: async () => undefined,
      recordFinder: recordFinder(config, registries),
    }
    return await action(services, stop.signal, progress)
  } finally {
    removeListener()
    await rm(scratchFolder, { recursive: true, force: true })
  }
}
