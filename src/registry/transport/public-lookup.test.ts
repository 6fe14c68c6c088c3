import { expect, it } from 'vitest'
import { publicLookup } from './public-lookup.ts'

/** Resolves a name as a connection does before it dials. */
const resolveName = (hostname: string, all: boolean) =>
  new Promise<unknown>((resolve, reject) => {
    publicLookup(hostname, { all }, (error, addresses) => (error ? reject(error) : resolve(addresses)))
  })

it('rejects a name with an address of this machine, for one address and for all', async () => {
  await expect(resolveName('localhost', true)).rejects.toThrow('localhost has an address that is not public')
  await expect(resolveName('localhost', false)).rejects.toThrow('localhost has an address that is not public')
})

it('returns public addresses', async () => {
  // An IP address resolves to itself, without the network.
  expect(await resolveName('192.0.33.8', true)).toEqual([{ address: '192.0.33.8', family: 4 }])
  expect(await resolveName('192.0.33.8', false)).toBe('192.0.33.8')
})
