import { expect, it } from 'vitest'
import { publicLookup } from './public-lookup.ts'

/** What a connection would dial. */
const dialled = (hostname: string, all: boolean) =>
  new Promise<unknown>((resolve, reject) => {
    publicLookup(hostname, { all }, (error, addresses) => (error ? reject(error) : resolve(addresses)))
  })

it('gives no address of this machine, in either form of the question', async () => {
  await expect(dialled('localhost', true)).rejects.toThrow('localhost has an address that is not public')
  await expect(dialled('localhost', false)).rejects.toThrow('localhost has an address that is not public')
})

it('gives public addresses', async () => {
  // A literal resolves to itself, without the network.
  expect(await dialled('192.0.33.8', true)).toEqual([{ address: '192.0.33.8', family: 4 }])
  expect(await dialled('192.0.33.8', false)).toBe('192.0.33.8')
})
