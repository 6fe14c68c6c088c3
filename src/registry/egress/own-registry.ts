import type { HostNames } from '../../oci/host-names.ts'
import type { CertificateCheck } from './pinned-connector.ts'

/** A registry with several names, which is reached at one address. */
export type OwnRegistry = {
  readonly names: HostNames
  /** Returns a token that is sent to it without a challenge; default: the credentials of its preferred name. */
  readonly token?: (() => Promise<string>) | undefined
  /** `host:port` */
  readonly address: string
  /** Recognises its certificate. Default: it uses plain HTTP. */
  readonly isCertificate?: CertificateCheck | undefined
}

/** The root URL of its API. */
export function ownUrl({ address, isCertificate }: OwnRegistry): URL {
  return new URL(`${isCertificate === undefined ? 'http' : 'https'}://${address}/`)
}
