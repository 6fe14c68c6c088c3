import { getCACertificates } from 'node:tls'

/** The TLS options that trust additional certificate authorities, PEM, as well as those of Node. */
export function withAuthorities(ca: string | undefined): { readonly ca?: string[] } {
  return ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] }
}
