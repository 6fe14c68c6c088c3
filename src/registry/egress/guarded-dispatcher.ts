import { isIPv6 } from 'node:net'
import { Agent, type buildConnector, type Dispatcher, EnvHttpProxyAgent } from 'undici'
import { withAuthorities } from './additional-authority.ts'
import { guardedConnector, type Network, type Reach, refusalOfHost } from './guarded-connector.ts'

/** What decides where requests other than those to registries may go. */
export type GuardedDispatcherOptions = {
  /** Hosts that the operator named, with their ports unless these are the default: they may be private. */
  readonly hosts: Iterable<string>
  /** The setting in which the operator names hosts, for messages. */
  readonly setting: string
  /** Additional certificate authorities, PEM. */
  readonly ca?: string | undefined
  /** Whether requests go through the proxies of the environment. */
  readonly usesProxies: boolean
  readonly connectMs: number
  /** How names are resolved and addresses dialled; default: by the system. */
  readonly network?: Network | undefined
}

/**
 * Creates a dispatcher for `fetch` and `request` of undici that judges every address when it dials it. Each hop of a
 * redirect is dialled by it, too. A proxy resolves names by itself: of what goes through one, only literal addresses and
 * the names of metadata services are judged.
 */
export function guardedDispatcher(options: GuardedDispatcherOptions): Dispatcher {
  const { hosts, setting, ca, usesProxies, connectMs, network } = options
  const named = new Set([...hosts].map((host) => host.toLowerCase()))
  const reachOf = ({
    protocol,
    hostname,
    port,
  }: Pick<buildConnector.Options, 'protocol' | 'hostname' | 'port'>): Reach => {
    const defaultPort = protocol === 'https:' ? '443' : '80'
    const actualPort = port || defaultPort
    // Connectors receive an IPv6 address without its brackets.
    const host = isIPv6(hostname) ? `[${hostname}]` : hostname
    const isNamed = named.has(`${host}:${actualPort}`) || (actualPort === defaultPort && named.has(host))
    return isNamed ? 'named' : 'public'
  }
  const tls = withAuthorities(ca)
  const connect = guardedConnector(reachOf, { ...tls, allowH2: false, timeout: connectMs, setting }, network)
  if (!usesProxies) return new Agent({ allowH2: false, connect })
  const agent = new EnvHttpProxyAgent({
    allowH2: false,
    connect,
    connectTimeout: connectMs,
    requestTls: tls,
    proxyTls: tls,
  })
  // No connector sees the host of a request that goes through a proxy.
  return agent.compose((dispatch) => (request, handler) => {
    const url = new URL(request.origin ?? '')
    const refused = refusalOfHost(url.hostname, reachOf(url), setting)
    if (refused) throw refused
    return dispatch(request, handler)
  })
}
