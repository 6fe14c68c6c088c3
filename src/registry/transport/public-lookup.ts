import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { isPublicAddress } from './egress.ts'

/** Name resolution that fails unless every address is public, so that what is checked is what is dialled. */
export const publicLookup: LookupFunction = (hostname, options, done) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return done(error, [])
    const inside = addresses.find(({ address }) => !isPublicAddress(address))
    const first = addresses[0]
    if (inside !== undefined || first === undefined) {
      const why = `${hostname} has an address that is not public; add it to RECORD_BROKER_REGISTRIES if this is wanted`
      return done(new Error(why), [])
    }
    if (options.all) done(null, addresses)
    else done(null, first.address, first.family)
  })
}
