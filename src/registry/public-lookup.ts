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
      return done(new Error(`${hostname} has an address that is not public; allow that host if wanted`), [])
    }
    if (options.all) done(null, addresses)
    else done(null, first.address, first.family)
  })
}
