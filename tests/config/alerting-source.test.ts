import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from '@jest/globals'
import { readAlertingSource, type AlertingSource } from '../../config/alerting-source.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'

function sourceOf(file: string): AlertingSource {
  const read = readAlertingSource(file)
  if (!read.ok) throw new Error(read.message)
  return read.source
}

test('gives the text, and finds secrets and modules beside the file', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'alerting.yaml')
  await mkdir(join(folder.path, 'secrets'))
  await writeFile(file, 'rules: []\n')
  await writeFile(join(folder.path, 'secrets', 'duty'), 'whsec_c2VjcmV0\n')
  const { text, secret, moduleUrl } = sourceOf(file)
  expect(text).toBe('rules: []\n')
  expect(await secret('secrets/duty')).toBe('whsec_c2VjcmV0')
  expect(await secret(join(folder.path, 'secrets', 'duty'))).toBe('whsec_c2VjcmV0')
  expect(moduleUrl('./doors.mjs')).toBe(pathToFileURL(join(folder.path, 'doors.mjs')).href)
})

test('without a name there is nothing to read, and that is no problem', () => {
  expect(sourceOf('').text).toBe('')
})

test('says why the file can not be read', async () => {
  await using folder = await temporaryFolder()
  const missing = readAlertingSource(join(folder.path, 'none.yaml'))
  expect(missing).toEqual({ ok: false, message: "can't be read: there is no such file" })
  expect(readAlertingSource(folder.path)).toEqual({ ok: false, message: "can't be read: it is a folder" })
})

test('a secret that is missing, empty or far too large is refused without being shown', async () => {
  await using folder = await temporaryFolder()
  const { secret } = sourceOf('')
  const at = (name: string) => join(folder.path, name)
  await writeFile(at('empty'), '\n')
  await writeFile(at('large'), 'x'.repeat(70_000))
  await expect(secret(at('none'))).rejects.toThrow(`${at('none')} can't be read: there is no such file`)
  await expect(secret(at('empty'))).rejects.toThrow('is empty')
  await expect(secret(at('large'))).rejects.toThrow('more than 65536 bytes')
})
