import type { Logger } from 'pino'
import type { Scraper } from '../metrics/scraper.ts'
import type { CleanupStack } from './cleanup-stack.ts'
import { type Config, ConfigError } from './config.ts'

/**
 * Serves `/metrics` and `/healthz` at the address that the settings name for it, if they do, until the process
 * stops.
 * @throws ConfigError if the port is in use
 */
export async function listenForScrapers(
  { metricsListen, metricsAllowed, token }: Config,
  scraper: Scraper,
  { log, stack }: { readonly log: Logger; readonly stack: CleanupStack },
): Promise<void> {
  if (metricsListen === undefined) return
  // A worker needs the HTTP server for nothing else.
  const { buildMetricsServer } = await import('../http/metrics/metrics-server.ts')
  const server = await buildMetricsServer({ scraper, allowed: metricsAllowed, token, logger: log })
  stack.defer(async () => {
    const closed = server.close()
    server.server.closeAllConnections()
    await closed
  })
  const { host, port } = metricsListen
  try {
    const url = await server.listen({ host: host.replace(/^\[(.*)\]$/, '$1'), port })
    log.info({ url }, 'serving metrics')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new ConfigError(`RECORD_BROKER_METRICS_LISTEN: ${host}:${port} is in use; choose another port`)
  }
}
