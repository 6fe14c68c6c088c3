import { Webhook } from 'standardwebhooks'
import { expect, it } from 'vitest'
import { InvalidCallbackError, verifyCallback } from './verify-callback.ts'

const secretOf = (byte: number) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`
const NOW = Date.parse('2026-01-02T03:04:05Z')
const BODY =
  '{"type":"conversion.succeeded","timestamp":"2026-01-02T03:04:05.678Z","data":{"id":"x","labels":{"a":"ä"}}}'

/** A message as another implementation of Standard Webhooks signs it. */
function message(secret: string, body = BODY) {
  const signature = new Webhook(secret).sign('msg_1', new Date(NOW), body)
  return {
    body,
    headers: {
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(NOW / 1000),
      'webhook-signature': signature,
    },
  }
}

it('returns the message if it is signed with one of the secrets', async () => {
  const { body, headers } = message(secretOf(1))
  const verified = { id: 'msg_1', type: 'conversion.succeeded', data: { id: 'x', labels: { a: 'ä' } } }
  for (const request of [
    { body, headers },
    { body: new TextEncoder().encode(body), headers: new Headers(headers) },
    { body, headers: { ...headers, 'webhook-signature': [`v2,AAAA v1,!! ${headers['webhook-signature']}`] } },
  ]) {
    expect(await verifyCallback(request, [secretOf(2), secretOf(1)], { now: NOW })).toMatchObject(verified)
  }
})

it('refuses what another secret signed, what was changed, and what has no signature', async () => {
  const { body, headers } = message(secretOf(1))
  for (const request of [
    message(secretOf(3)),
    { headers, body: body.replace('succeeded', 'failed') },
    { headers: { ...headers, 'webhook-id': 'msg_2' }, body },
    { headers: { ...headers, 'webhook-timestamp': String(NOW / 1000 + 1) }, body },
    { headers: { ...headers, 'webhook-timestamp': 'now' }, body },
    { headers: { ...headers, 'webhook-signature': 'v1,' }, body },
    { headers: {}, body },
  ]) {
    await expect(verifyCallback(request, [secretOf(1), secretOf(2)], { now: NOW })).rejects.toThrow(
      InvalidCallbackError,
    )
  }
})

it('refuses messages that are too old, or too far in the future', async () => {
  const signed = message(secretOf(1))
  const at = (ms: number, toleranceS?: number) =>
    verifyCallback(signed, secretOf(1), { now: NOW + ms, ...(toleranceS !== undefined && { toleranceS }) })
  for (const ms of [-300_000, 300_000]) expect((await at(ms)).id).toBe('msg_1')
  for (const ms of [-301_000, 301_000]) await expect(at(ms)).rejects.toThrow('300 seconds')
  await expect(at(11_000, 10)).rejects.toThrow('10 seconds')
})

it('names a malformed secret without showing it', async () => {
  for (const secret of ['hidden', 'whsec_', 'whsec_hidden!']) {
    const error = await verifyCallback(message(secretOf(1)), secret).catch((cause) => cause)
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).not.toContain('hidden')
  }
})
