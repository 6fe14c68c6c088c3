import type { TLSSocket } from 'node:tls'
import { buildConnector } from 'undici'

/** Whether a server's certificate, in DER, is the expected one. */
export type CertificateCheck = (certificate: Buffer) => boolean

/**
 * Creates a connector for a server that is known by its certificate: neither an authority nor a name in it counts. The
 * certificate is checked before anything is sent.
 */
export function pinnedConnector(
  isExpected: CertificateCheck,
  settings: { readonly timeout: number },
): buildConnector.connector {
  const connect = buildConnector({
    ...settings,
    allowH2: false,
    rejectUnauthorized: false,
    // A resumed session does not show the certificate again.
    maxCachedSessions: 0,
  })
  return (target, callback) =>
    connect(target, (error, socket) => {
      if (error) return callback(error, null)
      // Undefined if the server presents none; the type does not say so.
      const certificate: Buffer | undefined = (socket as TLSSocket).getPeerCertificate().raw
      if (certificate !== undefined && isExpected(certificate)) return callback(null, socket)
      socket.destroy()
      callback(new Error('the server presents another certificate than that in RECORD_BROKER_TLS_CERT'), null)
    })
}
