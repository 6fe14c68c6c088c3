import { describe, expect, it } from 'vitest'
import { ConfigError, loadConfig } from './config.ts'
import { parseWebOrigins } from './web-origin.ts'

describe('a list of origins', () => {
  it('has them as browsers write them', () => {
    expect([
      ...parseWebOrigins(' https://Dash.example:443, http://127.0.0.1:5173,,https://dash.example'),
    ]).toEqual(['https://dash.example', 'http://127.0.0.1:5173'])
    expect(parseWebOrigins('').size).toBe(0)
  })

  it.each([
    '*',
    'null',
    'dash.example',
    'https://',
    'https://dash.example/',
    'https://dash.example/app',
    'https://dash.example?x',
    'https://dash.example#x',
    'https://user:secret@dash.example',
    'https://*.dash.example',
    'https:dash.example',
    'ftp://dash.example',
    'file:///srv/page.html',
    'https://dash.example:99999',
  ])('has nothing but origins: %s', (text) => {
    expect(() => parseWebOrigins(`https://first.example,${text}`)).toThrow(Error)
    expect(() => loadConfig({ RECORD_BROKER_CORS_ORIGINS: text })).toThrow(ConfigError)
    expect(() => loadConfig({ RECORD_BROKER_CORS_ORIGINS: text })).toThrow('RECORD_BROKER_CORS_ORIGINS')
    expect(() => loadConfig({ RECORD_BROKER_PUBLIC_URL: text })).toThrow('RECORD_BROKER_PUBLIC_URL')
  })
})

it('sets the public name and the origins of pages', () => {
  const config = loadConfig({
    RECORD_BROKER_PUBLIC_URL: 'https://Broker.example:8443',
    RECORD_BROKER_CORS_ORIGINS: 'https://dash.example',
  })
  expect(config.publicUrl?.origin).toBe('https://broker.example:8443')
  expect([...config.corsOrigins]).toEqual(['https://dash.example'])
  expect(loadConfig({}).publicUrl).toBeUndefined()
  expect(loadConfig({}).corsOrigins.size).toBe(0)
})
