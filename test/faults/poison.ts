/**
 * Loaded before a broker's processes (`node --import`): reading the image `poison` kills the process, some time after it began, and
 * reading any other takes longer than that. The broker itself knows nothing of it.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Repository } from '../../src/registry/repository.ts'

const FATAL_AFTER_MS = 300
const SLOW_MS = 900

const { getManifest: manifest } = Repository.prototype
Repository.prototype.getManifest = async function (tag, options) {
  if (this.repository === 'poison') {
    await delay(FATAL_AFTER_MS)
    process.kill(process.pid, 'SIGKILL')
  }
  await delay(SLOW_MS, undefined, options)
  return manifest.call(this, tag, options)
}
