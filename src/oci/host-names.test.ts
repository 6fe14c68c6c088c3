import { expect, it } from 'vitest'
import { HostNames } from './host-names.ts'

it('gives an image of the registry its preferred name, and leaves every other text as it is', () => {
  const names = new HostNames(['broker.example', '127.0.0.1:8080'])
  for (const [text, preferred] of [
    ['127.0.0.1:8080/team/app:1.0', 'broker.example/team/app:1.0'],
    ['broker.example/team/app@sha256:00', 'broker.example/team/app@sha256:00'],
    ['127.0.0.1:8081/team/app', '127.0.0.1:8081/team/app'],
    ['127.0.0.1:8080', '127.0.0.1:8080'],
    [`sha256:${'0'.repeat(64)}`, `sha256:${'0'.repeat(64)}`],
    ['', ''],
  ] as const) {
    expect(names.preferredReference(text)).toBe(preferred)
  }
  expect(names.allReferences('127.0.0.1:8080/team/app')).toEqual([
    'broker.example/team/app',
    '127.0.0.1:8080/team/app',
  ])
  expect(names.allReferences('docker.io/library/alpine')).toEqual(['docker.io/library/alpine'])
  expect([names.preferred('127.0.0.1:8080'), names.preferred('r.test')]).toEqual(['broker.example', 'r.test'])
})
