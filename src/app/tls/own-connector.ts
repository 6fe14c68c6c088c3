import type { buildConnector } from 'undici'
import { pinnedConnector } from '../../registry/egress/pinned-connector.ts'
import type { OwnCertificate } from './own-certificate.ts'

/** Connects to this broker, and to no other server at its address. */
export function ownConnector(own: OwnCertificate, timeoutMs: number): buildConnector.connector {
  return pinnedConnector((certificate) => own.matches(certificate), { timeout: timeoutMs })
}
