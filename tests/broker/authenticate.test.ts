import { describe, expect, test } from '@jest/globals'
import { Authenticator } from '../../broker/authenticate.ts'
import { hashToken, newToken } from '../../store/credentials.ts'
import { devicesWith } from './devices.ts'

const devices = devicesWith({ pump: 'right' })
const closed = new Authenticator({ devices, anonymous: false })
const open = new Authenticator({ devices, anonymous: true })

describe('a registered device', () => {
  test('is let in with its token, as text or bytes, under any client id', () => {
    for (const authenticator of [closed, open]) {
      for (const token of ['right', Buffer.from('right')]) {
        expect(authenticator.authenticate({ user: 'pump', clientId: 'c1', token })).toEqual({
          ok: true,
          identity: { device: 'pump', user: 'pump', clientId: 'c1', anonymous: false }
        })
      }
    }
  })

  test('is refused with a wrong token or none, also where anonymous devices are welcome', () => {
    for (const token of ['wrong', '', null]) {
      expect(open.authenticate({ user: 'pump', clientId: 'pump', token })).toMatchObject({
        ok: false,
        code: 'bad-credentials'
      })
    }
  })

  test('cannot be spoken for by leaving out the user name', () => {
    expect(open.authenticate({ user: null, clientId: 'pump', token: null })).toMatchObject({
      ok: false,
      code: 'bad-credentials'
    })
  })
})

describe('a device that is not registered', () => {
  test('is let in anonymously as its client id, whatever user name and token it gives', () => {
    expect(open.authenticate({ user: 'someone', clientId: 'lamp', token: 'x' })).toEqual({
      ok: true,
      identity: { device: 'lamp', user: 'someone', clientId: 'lamp', anonymous: true }
    })
  })

  test('is refused where devices need a token', () => {
    expect(closed.authenticate({ user: null, clientId: 'lamp', token: null })).toMatchObject({
      code: 'not-authorized'
    })
    expect(closed.authenticate({ user: 'lamp', clientId: 'lamp', token: 'x' })).toMatchObject({
      code: 'bad-credentials'
    })
  })
})

test('refuses ids that are empty, longer than 256 bytes, or hold control characters', () => {
  for (const clientId of ['', 'a'.repeat(257), 'é'.repeat(129), 'a\nb', 'a\u0000', '\ud800']) {
    expect(open.authenticate({ user: null, clientId, token: null })).toMatchObject({ code: 'id-invalid' })
  }
  expect(open.authenticate({ user: null, clientId: 'é'.repeat(128), token: null }).ok).toBe(true)
})

test('makes tokens of 32 random bytes and keeps their SHA-256', () => {
  expect(newToken()).toMatch(/^[\w-]{43}$/)
  expect(newToken()).not.toBe(newToken())
  expect(Buffer.from(hashToken('abc')).toString('hex')).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  )
})
