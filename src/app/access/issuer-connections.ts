import type { Dispatcher } from 'undici'
import { createIssuerFetch, type IssuerConnection, type IssuerFetch } from '../../access/oidc/issuer-fetch.ts'
import { guardedDispatcher } from '../../registry/egress/guarded-dispatcher.ts'
import type { Config } from '../config/config.ts'

const CONNECT_MS = 5_000

/** The connections to OIDC issuers. Addresses that issuers name must be public ones. */
export class IssuerConnections implements AsyncDisposable {
  readonly #ca: string | undefined
  readonly #dispatchers: Dispatcher[] = []

  constructor({ ca }: Pick<Config, 'ca'>) {
    this.#ca = ca
  }

  /** @param setting the setting that names the issuer, for messages */
  connect({ ca, hosts }: IssuerConnection, setting: string): IssuerFetch {
    const authorities = [this.#ca, ca].filter((pem) => pem !== undefined)
    const dispatcher = guardedDispatcher({
      hosts,
      setting,
      ca: authorities.length === 0 ? undefined : authorities.join('\n'),
      usesProxies: true,
      connectMs: CONNECT_MS,
    })
    this.#dispatchers.push(dispatcher)
    return createIssuerFetch(dispatcher)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#dispatchers.map((dispatcher) => dispatcher.destroy()))
  }
}
