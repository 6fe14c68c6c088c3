import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { conversionServices, openRegistries } from '../app/composition.ts'
import { loadConfig } from '../app/config.ts'
import { onStopSignal } from '../app/stop-signals.ts'
import type { ConversionServices } from '../conversion/services.ts'
import { parseReference } from '../oci/reference.ts'
import { collect, host } from './arguments.ts'
import { InterruptedError } from './errors.ts'

/** The options of every command that reads or writes registries in this process, without a broker. */
export type LocalOptions = { readonly plainHttp?: string[]; readonly json?: boolean }

/** The option that names registries without TLS, for commander. */
export const PLAIN_HTTP_OPTION = [
  '--plain-http <host>',
  'use plain HTTP with this registry; can be given more than once',
  collect(host),
] as const

/**
 * Runs `action` with the services of a conversion. The registries of `references` are allowed, whatever the
 * settings say: naming one on the command line is permission enough. The first stop signal aborts the signal
 * that `action` receives.
 */
export async function withServices(
  references: readonly (string | undefined)[],
  { plainHttp = [] }: LocalOptions,
  action: (services: ConversionServices, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const config = loadConfig()
  const hosts = references.flatMap((text) => (text === undefined ? [] : parseReference(text).host))
  const onWarning = (host: string, text: string) => process.stderr.write(`warning from ${host}: ${text}\n`)
  const stop = new AbortController()
  const removeListener = onStopSignal((signal) => stop.abort(new InterruptedError(signal)))
  const scratchFolder = await mkdtemp(join(tmpdir(), 'record-broker-'))
  try {
    await using registries = openRegistries(config, { hosts, plainHttp, onWarning })
    const services = conversionServices(config, registries, async () => undefined, { scratchFolder })
    await using _threads = services.threads
    await action(services, stop.signal)
  } finally {
    removeListener()
    await rm(scratchFolder, { recursive: true, force: true })
  }
}
