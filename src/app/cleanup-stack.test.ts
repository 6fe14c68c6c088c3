import { expect, it } from 'vitest'
import { CleanupStack } from './cleanup-stack.ts'

it('closes everything in reverse order, even after failures, and reports them', async () => {
  const closed: string[] = []
  const stack = new CleanupStack()
  stack.use({ [Symbol.dispose]: () => void closed.push('first') })
  stack.defer(() => Promise.reject(new Error('second failed')))
  stack.use({ [Symbol.asyncDispose]: async () => void closed.push('third') })
  await expect(stack.closeAll()).rejects.toThrow('second failed')
  expect(closed).toEqual(['third', 'first'])
  await stack.closeAll()
  stack.defer(() => Promise.reject(new Error('a')))
  stack.defer(() => {
    throw new Error('b')
  })
  await expect(stack.closeAll()).rejects.toMatchObject({ errors: [{ message: 'b' }, { message: 'a' }] })
})
