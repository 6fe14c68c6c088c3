/**
 * Preloaded into the broker's processes (`node --import`): reading the image `poison` kills the process after
 * a while. Reading another image takes longer than that, so its conversion is running when the process dies.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Repository } from '../../src/registry/repository.ts'

const FATAL_AFTER_MS = 300
const SLOW_MS = 900

const { getManifest: readManifest } = Repository.prototype
Repository.prototype.getManifest = async function (tag, options) {
  if (this.repository === 'poison') {
    await delay(FATAL_AFTER_MS)
    process.kill(process.pid, 'SIGKILL')
  }
  await delay(SLOW_MS, undefined, options)
  return readManifest.call(this, tag, options)
}
