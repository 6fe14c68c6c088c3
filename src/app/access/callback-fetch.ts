import { fetch as undiciFetch } from 'undici'
import type { CallbackFetch } from '../../jobs/events/callback-sender.ts'
import type { Network } from '../../registry/egress/guarded-connector.ts'
import { guardedDispatcher } from '../../registry/egress/guarded-dispatcher.ts'
import type { Config } from '../config/config.ts'

/** The time until a connection to a receiver exists. */
const CONNECT_MS = 5_000

/**
 * Creates the `fetch` of callbacks. The operator has named every receiver, so it may be in a private network, but its
 * name never leads to the link of this machine or to a metadata service. Callbacks use no proxy.
 */
export function createCallbackFetch(
  { callbackOrigins, ca }: Pick<Config, 'callbackOrigins' | 'ca'>,
  network?: Network,
): CallbackFetch & AsyncDisposable {
  const dispatcher = guardedDispatcher({
    hosts: [...callbackOrigins].map((origin) => new URL(origin).host),
    setting: 'RECORD_BROKER_CALLBACK_ORIGINS',
    ca,
    usesProxies: false,
    connectMs: CONNECT_MS,
    network,
  })
  const send: CallbackFetch = (url, request) => undiciFetch(url, { ...request, dispatcher })
  return Object.assign(send, { [Symbol.asyncDispose]: () => dispatcher.destroy() })
}
