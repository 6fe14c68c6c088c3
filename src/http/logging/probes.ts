import type { FastifyRequest } from 'fastify'

const PROBE_ROUTE = /^\/(healthz|readyz|metrics)$/
/** The tag that `serve` looks for to know whether its backing registry responds. */
const REGISTRY_PROBE = /^\/v2\/(?:[^?]+\/)?ready\/manifests\/ready$/

/** Whether a request is one that monitoring repeats all day: it is neither traced nor logged at `info`. */
export function isProbe({ method, url, routeOptions }: FastifyRequest): boolean {
  if (method === 'HEAD' && REGISTRY_PROBE.test(url)) return true
  return routeOptions.url !== undefined && PROBE_ROUTE.test(routeOptions.url)
}
