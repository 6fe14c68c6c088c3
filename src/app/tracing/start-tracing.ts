import type { Logger } from 'pino'
import { setMissingVariables } from '../config/config.ts'
import { VERSION } from '../version.ts'
import type { Tracing } from './sdk.ts'
import type { TracingConfig } from './settings.ts'

const NO_TRACING: Tracing = { flush: async () => undefined, stop: async () => undefined }

/**
 * Starts to make traces. Loads the SDK only if the settings have an endpoint.
 * @param role the name of the process: `serve`, `worker` or `analyzer`
 */
export async function startTracing(
  config: TracingConfig | undefined,
  role: string,
  log: Pick<Logger, 'warn'>,
): Promise<Tracing> {
  if (config === undefined) return NO_TRACING
  setMissingVariables(config.environment)
  const { startSdk } = await import('./sdk.ts')
  return startSdk(config, { role, version: VERSION }, log)
}
