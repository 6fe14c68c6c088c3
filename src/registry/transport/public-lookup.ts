import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { isPublicAddress } from './egress-policy.ts'

/**
 * Resolves a name, and fails unless every address is public: the addresses checked are the addresses dialled.
 */
export const publicLookup: LookupFunction = (hostname, options, done) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return done(error, [])
    const privateAddress = addresses.find(({ address }) => !isPublicAddress(address))
    const first = addresses[0]
    if (privateAddress !== undefined || first === undefined) {
      const reason = `${hostname} has an address that is not public; add it to RECORD_BROKER_REGISTRIES if this is intended`
      return done(new Error(reason), [])
    }
    if (options.all) done(null, addresses)
    else done(null, first.address, first.family)
  })
}
