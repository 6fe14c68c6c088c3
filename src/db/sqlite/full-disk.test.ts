import { join } from 'node:path'
import { expect, it } from 'vitest'
import { describeWithPeers } from '../../../test/support/peers/peers.ts'
import { SmallDisk } from '../../../test/support/small-disk.ts'
import { openDatabase } from '../open-database.ts'

const DISK_BYTES = 4 * 2 ** 20

describeWithPeers(['tmpfs'], 'SQLite on a full disk', () => {
  it('rejects writes that do not fit, keeps committed ones, and continues once there is space', async () => {
    using disk = SmallDisk.mount(DISK_BYTES)
    const database = await openDatabase(`sqlite:${join(disk.path, 'x.sqlite')}`)
    const write = (id: string) =>
      database.transaction(async (transaction) => {
        const rule = { document: JSON.stringify('x'.repeat(100_000)), updated_at: 1 }
        for (const part of ['a', 'b']) {
          await transaction
            .insertInto('rules')
            .values({ id: `${id}${part}`, ...rule })
            .execute()
        }
      })
    await disk.fill(1_000_000)
    const written: string[] = []
    let failure: unknown
    for (let n = 0; n < 100 && failure === undefined; n++) {
      await write(`${n}`).then(
        () => written.push(`${n}a`, `${n}b`),
        (error: unknown) => {
          failure = error
        },
      )
    }
    expect(failure).toMatchObject({ code: 'STORAGE_FULL', retryable: true })
    const ids = async () =>
      (await database.query.selectFrom('rules').select('id').execute()).map(({ id }) => id)
    // Each transaction is stored completely or not at all.
    expect((await ids()).toSorted()).toEqual(written.toSorted())
    await expect(write('again')).rejects.toMatchObject({ code: 'STORAGE_FULL' })
    disk.free()
    await write('then')
    expect(await ids()).toHaveLength(written.length + 2)
    await database.close()
  })
})
