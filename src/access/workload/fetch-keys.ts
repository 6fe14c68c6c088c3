import { readFile } from 'node:fs/promises'
import type { JSONWebKeySet } from 'jose'
import { isClaims } from '../oidc/claim-conditions.ts'
import type { IssuerFetch } from '../oidc/issuer-fetch.ts'
import { addressFault } from '../oidc/issuer-url.ts'

/** Issuers have two or three keys. */
const MAX_KEYS = 100

/** Where the keys of an issuer are. */
export type KeyLocation = {
  readonly issuer: string
  readonly jwksUri?: string | undefined
  /** A file with a bearer token, which is sent to the addresses that the operator named only. */
  readonly tokenFile?: string | undefined
  readonly plainHttp: readonly string[]
}

/** Reads the keys of an issuer, by its configuration unless their address is known. @throws Error with the reason */
export async function fetchKeys(location: KeyLocation, fetch: IssuerFetch): Promise<JSONWebKeySet> {
  const read = (url: string) => fetchDocument(url, location, fetch)
  const document = await read(location.jwksUri ?? (await discoverKeys(location, read)))
  const { keys } = document
  if (!Array.isArray(keys) || !keys.every(isClaims)) throw new Error('the response is not a set of keys')
  if (keys.length > MAX_KEYS) throw new Error(`the issuer has more than ${MAX_KEYS} keys`)
  return { keys }
}

/** Reads the configuration of an issuer (OpenID Connect Discovery 1.0, section 4). */
async function discoverKeys(
  { issuer, plainHttp }: KeyLocation,
  read: (url: string) => Promise<Readonly<Record<string, unknown>>>,
): Promise<string> {
  const configuration = await read(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
  if (configuration.issuer !== issuer) throw new Error('the configuration is that of another issuer')
  const { jwks_uri: address } = configuration
  if (typeof address !== 'string') throw new Error('the configuration has no jwks_uri')
  const fault = addressFault(address, plainHttp)
  if (fault !== undefined) throw new Error(`the jwks_uri of the configuration is not accepted: ${fault}`)
  return address
}

async function fetchDocument(
  url: string,
  { issuer, jwksUri, tokenFile }: KeyLocation,
  fetch: IssuerFetch,
): Promise<Readonly<Record<string, unknown>>> {
  const { origin } = new URL(url)
  const isNamed = [issuer, jwksUri].some((named) => named !== undefined && new URL(named).origin === origin)
  // Read each time: the kubelet replaces it.
  const token = isNamed && tokenFile !== undefined ? (await readFile(tokenFile, 'utf8')).trim() : undefined
  const response = await fetch(url, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  })
  if (response.status >= 300 && response.status < 400) {
    throw new Error(`${url} redirects, which is not followed; name the address of the keys as jwksUri`)
  }
  if (response.status !== 200) throw new Error(`${url} responds with status ${response.status}`)
  const document: unknown = await response.json()
  if (!isClaims(document)) throw new Error(`${url} does not respond with a JSON object`)
  return document
}
