import { type LookupAddress, lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import { type AddressKind, addressKind, hostKind, withoutBrackets } from './address-kind.ts'

/**
 * How far a connection may go: `public` dials public addresses only; `named`, for hosts that the operator named, also
 * private ones. A name never leads to a link-local address or a metadata service: an operator who means one names the
 * address itself.
 */
export type Reach = 'public' | 'named'

/** How names are resolved and addresses are dialled. */
export type Network = {
  readonly resolve: (
    hostname: string,
    options: {
      readonly all: true
      readonly family?: number | 'IPv4' | 'IPv6' | undefined
      readonly hints?: number | undefined
    },
    done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
  ) => void
  readonly connector: (settings: ConnectionSettings) => buildConnector.connector
}

/** TLS, timeouts, and the look-up of names, which chooses the addresses that are dialled. */
type ConnectionSettings = buildConnector.BuildOptions & { readonly lookup: LookupFunction }

const SYSTEM_NETWORK: Network = { resolve: lookup, connector: (settings) => buildConnector(settings) }

/** A connection was refused before anything was dialled. The message names the host, and the setting that helps. */
export class AddressNotAllowedError extends Error {
  override readonly name = 'AddressNotAllowedError'
  readonly code = 'ADDRESS_NOT_ALLOWED'
}

/**
 * Creates a connector that judges each address right before it dials it: literal addresses, which no look-up sees, and
 * all addresses of a name. What was judged is what is dialled, so a name that changes its address gains nothing.
 * @param reachOf how far a connection to this host may go
 * @param settings.setting the setting in which an operator names hosts, for the message
 */
export function guardedConnector(
  reachOf: (target: buildConnector.Options) => Reach,
  { setting, ...settings }: buildConnector.BuildOptions & { readonly setting: string },
  network: Network = SYSTEM_NETWORK,
): buildConnector.connector {
  const connectors: Readonly<Record<Reach, buildConnector.connector>> = {
    public: network.connector({ ...settings, lookup: guardedLookup('public', setting, network) }),
    named: network.connector({ ...settings, lookup: guardedLookup('named', setting, network) }),
  }
  return (target, callback) => {
    const reach = reachOf(target)
    const refused = refusalOfHost(target.hostname, reach, setting)
    if (refused) return callback(refused, null)
    connectors[reach](target, callback)
  }
}

/**
 * Returns the error for a host that may not be dialled, whatever it resolves to: a literal address, or a name that means
 * this machine or a metadata service everywhere. Undefined for any other host.
 */
export function refusalOfHost(
  hostname: string,
  reach: Reach,
  setting: string,
): AddressNotAllowedError | undefined {
  const kind = hostKind(hostname)
  const isNamedAddress = reach === 'named' && isIP(withoutBrackets(hostname)) !== 0
  if (kind === undefined || isNamedAddress || isWithin(kind, reach)) return undefined
  return refusal(hostname, kind, setting)
}

/** Whether an address of this kind may be dialled. */
export function isWithin(kind: AddressKind, reach: Reach): boolean {
  return kind === 'public' || (kind === 'private' && reach === 'named')
}

/** Resolves a name, and fails unless all of its addresses may be dialled. */
function guardedLookup(reach: Reach, setting: string, { resolve }: Network): LookupFunction {
  return (hostname, { family, hints, all }, done) => {
    resolve(hostname, { family, hints, all: true }, (error, addresses) => {
      if (error) return done(error, [])
      const kinds = addresses.map(({ address }) => addressKind(address))
      const refused = kinds.find((kind) => !isWithin(kind, reach))
      const [first] = addresses
      if (refused !== undefined || first === undefined) {
        return done(refusal(hostname, refused ?? 'private', setting), [])
      }
      if (all) done(null, addresses)
      else done(null, first.address, first.family)
    })
  }
}

function refusal(host: string, kind: AddressKind, setting: string): AddressNotAllowedError {
  return new AddressNotAllowedError(
    kind === 'link-local'
      ? `${host} has a link-local address or that of a metadata service, which is dialled only if ${setting} names the address itself`
      : `${host} has an address that is not public; add it to ${setting} if this is intended`,
  )
}
