import { expect, it } from 'vitest'
import { parsePostgresAddress } from './postgres-address.ts'

it.each([
  ['postgres://broker:secret@db.test:5432/broker', 'postgres://broker:secret@db.test:5432/broker'],
  ['postgresql://db.test/broker?sslmode=require', 'postgresql://db.test/broker?sslmode=require'],
  ['postgres://broker@db.test', 'postgres://broker@db.test'],
  // Characters that have a meaning elsewhere in an address.
  ['postgres://broker:a/b?c#d@e:f@db.test/broker', 'postgres://broker:a%2Fb%3Fc%23d%40e%3Af@db.test/broker'],
  ['postgres://broker:%zz 100%@db.test/broker', 'postgres://broker:%25zz%20100%25@db.test/broker'],
  // Valid encodings stay unchanged.
  ['postgres://br%40ker:a%2Fb@db.test/broker', 'postgres://br%40ker:a%2Fb@db.test/broker'],
  ['postgres://u@%2Frun%2Fpostgresql/broker', 'postgres://u@%2Frun%2Fpostgresql/broker'],
])('accepts credentials with any characters: %s', (url, connectionString) => {
  expect(parsePostgresAddress(url).connectionString).toBe(connectionString)
})

it.each([
  ['postgres://broker:sec/ret@db.test:5433/broker?sslmode=require', 'db.test:5433/broker'],
  ['postgres://u:secret@%2Frun%2Fpostgresql/broker', '/run/postgresql/broker'],
  ['postgres:///broker', 'localhost/broker'],
])('has a name without credentials: %s', (url, name) => {
  expect(parsePostgresAddress(url).name).toBe(name)
})

it('rejects an invalid address without repeating it', () => {
  expect(() => parsePostgresAddress('postgres:/broker:secret')).toThrow(/^expected postgres:\/\/USER/)
})
