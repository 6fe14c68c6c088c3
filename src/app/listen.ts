import { type AddressInfo, createServer } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Scraper } from '../metrics/scraper.ts'
import type { CleanupStack } from './cleanup-stack.ts'
import { type Config, ConfigError } from './config/config.ts'

type Address = Config['listen']

/** The host by which this machine reaches an address that a server listens on: also one that means all of them. */
export function reachableHost({ host }: Address): string {
  return host === '0.0.0.0' || host === '[::]' ? '127.0.0.1' : host
}

/**
 * Lets a server listen at an address of the settings. Returns its URL.
 * @param setting the name of the address
 * @throws ConfigError if the port is in use
 */
export async function listenAt(
  app: FastifyInstance,
  { host, port }: Address,
  setting: 'RECORD_BROKER_LISTEN' | 'RECORD_BROKER_METRICS_LISTEN',
): Promise<string> {
  try {
    return await app.listen({ host: withoutBrackets(host), port })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new ConfigError(`${setting}: ${host}:${port} is in use; choose another port`)
  }
}

/** Replaces port 0 with a free port, so that every component knows the port before it starts. */
export async function withPort(address: Address): Promise<Address> {
  if (address.port !== 0) return address
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, withoutBrackets(address.host), resolve)
  })
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return { ...address, port }
}

/** An address of IPv6 as sockets take it. */
function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1')
}

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
  const url = await listenAt(server, metricsListen, 'RECORD_BROKER_METRICS_LISTEN')
  log.info({ url }, 'serving metrics')
}
