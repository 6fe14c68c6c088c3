import type { MetricSet } from './metric-set.ts'

/** Shows when the certificate of the server expires, if it has one. */
export function measureCertificate(metrics: MetricSet, expiresAt: () => Date | undefined): void {
  metrics.gauge(
    'record_broker_tls_certificate_expiry_timestamp_seconds',
    'When the TLS certificate that the server uses expires, as Unix time; 0 with plain HTTP.',
    [],
    (gauge) => gauge.set((expiresAt()?.getTime() ?? 0) / 1000),
  )
}
