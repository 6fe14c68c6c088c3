import { type Browser, chromium } from 'playwright-core'
import { findProgram } from './peers.ts'

/** Starts Chromium for the pages of a test. */
export function launchChromium(): Promise<Browser> {
  // Chromium's own sandbox does not work for root in a container. The pages are those of this test.
  const args = ['--no-sandbox', '--disable-dev-shm-usage']
  return chromium.launch({ executablePath: findProgram('chromium') ?? '', args })
}
