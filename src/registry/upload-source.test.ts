import { once } from 'node:events'
import { expect, it } from 'vitest'
import { Tally } from '../bytes/tally.ts'
import { UploadSource } from './upload-source.ts'

it('tells a failure of the source from one of the connection that reads it', async () => {
  let closed = false
  const endless = async function* () {
    try {
      for (;;) yield Buffer.from('bytes')
    } finally {
      closed = true
    }
  }
  const source = new UploadSource()
  const body = source.tallied(endless(), new Tally())
  await once(body, 'readable')
  body.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
  await new Promise((resolve) => body.once('close', resolve))
  expect(() => source.throwIfFailed()).not.toThrow()
  expect(closed).toBe(true)

  const failing = async function* () {
    yield Buffer.from('bytes')
    throw new Error('the source broke')
  }
  const broken = new UploadSource()
  await expect(Array.fromAsync(broken.tallied(failing(), new Tally()))).rejects.toThrow('the source broke')
  expect(() => broken.throwIfFailed()).toThrow('the source broke')
})
