import { isIP, isIPv6 } from 'node:net'
import { buildConnector } from 'undici'
import type { Network } from '../../src/registry/egress/guarded-connector.ts'

/**
 * A network that records which addresses are dialled, and dials none but those of `reachable`, `host:port`. A name
 * is resolved when it is dialled, as by a socket.
 */
export class RecordedNetwork implements Network {
  /** Each dialled address, as `ADDRESS PORT`. */
  readonly dialled: string[] = []
  readonly #resolveName: (hostname: string) => readonly string[]
  readonly #reachable: ReadonlySet<string>

  constructor(resolveName: (hostname: string) => readonly string[], reachable: readonly string[] = []) {
    this.#resolveName = resolveName
    this.#reachable = new Set(reachable)
  }

  readonly resolve: Network['resolve'] = (hostname, _options, done) => {
    const addresses = isIP(hostname) === 0 ? this.#resolveName(hostname) : [hostname]
    const isKnown = addresses.length > 0
    const error = isKnown
      ? null
      : Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' })
    done(
      error,
      addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 })),
    )
  }

  readonly connector: Network['connector'] = (settings) => {
    const dial = buildConnector(settings)
    return (target, callback) => {
      const { hostname, protocol } = target
      const port = target.port || (protocol === 'https:' ? '443' : '80')
      if (this.#reachable.has(`${hostname}:${port}`)) return dial(target, callback)
      const refuse = () => callback(new Error('this network reaches nothing'), null)
      if (isIP(hostname) !== 0) {
        this.dialled.push(`${hostname} ${port}`)
        return refuse()
      }
      settings.lookup(hostname, { all: true }, (error, addresses) => {
        if (error) return callback(error, null)
        for (const { address } of addresses as { address: string }[]) this.dialled.push(`${address} ${port}`)
        refuse()
      })
    }
  }
}
