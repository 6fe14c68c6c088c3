import type { BlockList } from 'node:net'
import { z } from 'zod'
import { AddressRanges, Hosts } from './setting-values.ts'

/** The settings of the connection between callers and `serve`: names, proxies and TLS. */
export const EdgeSettings = {
  RECORD_BROKER_ALLOWED_HOSTS: Hosts.prefault('').describe(
    'hosts that requests without a token may be for, besides RECORD_BROKER_PUBLIC_URL and this machine, as name or name:port, comma separated',
  ),
  RECORD_BROKER_TRUSTED_PROXIES: AddressRanges.prefault('').describe(
    'addresses of proxies whose X-Forwarded-For, X-Forwarded-Host and X-Forwarded-Proto are believed, such as 10.0.0.0/8, comma separated',
  ),
  RECORD_BROKER_TLS_CERT: z
    .string()
    .min(1)
    .optional()
    .describe(
      'a PEM file with the certificate of `serve` and its chain, for HTTPS; read again when it changes; needs RECORD_BROKER_TLS_KEY',
    ),
  RECORD_BROKER_TLS_KEY: z
    .string()
    .min(1)
    .optional()
    .describe('a PEM file with the key of that certificate, not encrypted'),
}
const Edge = z.object(EdgeSettings)

/** The files of a certificate and its key. */
export type TlsFiles = { readonly cert: string; readonly key: string }

export type EdgeConfig = {
  /** The hosts that requests without a token may be for. */
  readonly allowedHosts: readonly string[]
  /** The proxies whose headers about a request are believed. */
  readonly trustedProxies: BlockList
  /** Undefined if `serve` uses plain HTTP. */
  readonly tls: TlsFiles | undefined
}

/** @param fail throws the error for a variable */
export function edgeConfig(
  env: z.output<typeof Edge>,
  fail: (name: string, reason: string) => never,
): EdgeConfig {
  const { RECORD_BROKER_TLS_CERT: cert, RECORD_BROKER_TLS_KEY: key } = env
  if ((cert === undefined) !== (key === undefined)) {
    const [missing, given] = cert === undefined ? ['CERT', 'KEY'] : ['KEY', 'CERT']
    fail(`RECORD_BROKER_TLS_${missing}`, `required, because RECORD_BROKER_TLS_${given} is set`)
  }
  return {
    allowedHosts: env.RECORD_BROKER_ALLOWED_HOSTS,
    trustedProxies: env.RECORD_BROKER_TRUSTED_PROXIES,
    tls: cert === undefined || key === undefined ? undefined : { cert, key },
  }
}
