import type { ClientSettings } from '../../app/config/client-settings.ts'
import type { Logins } from '../login/config-file.ts'

/** The broker that a command uses, and the token for it. */
export type SelectedBroker = {
  readonly url: string
  readonly token: string | undefined
  /** Where the address comes from, for messages. */
  readonly from: 'option' | 'environment' | 'login' | 'default'
  /** The broker that RECORD_BROKER_TOKEN belongs to, if that is another one. */
  readonly foreignTokenOf?: string
}

/**
 * Selects the broker: `--server`, RECORD_BROKER_SERVER, RECORD_BROKER_LISTEN, the current login, the default
 * address. A token goes only to the broker that it belongs to: that of the environment to RECORD_BROKER_SERVER,
 * or, without it, to the broker that listens at RECORD_BROKER_LISTEN; that of a login to its broker.
 */
export function selectBroker(
  option: string | undefined,
  { server, local, token }: Pick<ClientSettings, 'server' | 'local' | 'token'>,
  { current, servers }: Logins,
): SelectedBroker {
  const { url, from } = selectAddress(option, { server, local }, current)
  const owner = server ?? local.url
  if (token !== undefined && owner === url) return { url, from, token }
  const stored = Object.hasOwn(servers, url) ? servers[url]?.token : undefined
  return { url, from, token: stored, ...(token !== undefined && { foreignTokenOf: owner }) }
}

/** The option that a further command needs to reach the same broker, with a space before it. */
export function serverOption({ url, from }: SelectedBroker): string {
  return from === 'option' ? ` --server ${url}` : ''
}

function selectAddress(
  option: string | undefined,
  { server, local }: Pick<ClientSettings, 'server' | 'local'>,
  current: string | undefined,
): Pick<SelectedBroker, 'url' | 'from'> {
  if (option !== undefined) return { url: option, from: 'option' }
  if (server !== undefined) return { url: server, from: 'environment' }
  if (local.isSet) return { url: local.url, from: 'environment' }
  if (current !== undefined) return { url: current, from: 'login' }
  return { url: local.url, from: 'default' }
}
