import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { writeProof } from './proof.ts'
import type { Result, Verdict } from './scenario.ts'

const ran = {
  machine: 'a machine',
  versions: 'Node.js',
  date: '2026-01-01',
  loadBefore: 0,
  command: 'npm run torture'
}
const order = ['kill', 'disk']

function result(name: string, verdict: Verdict, lost: number): Result {
  return { name, claim: `About ${name}.`, verdict, outcome: { figures: { lost }, faults: [] }, seconds: 1 }
}

test('replaces what ran again, keeps what did not, and leaves the rest of the page', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'proof.md')
  await writeFile(
    path,
    '# Proof\n\nOf others.\n\n<!-- torture:begin -->\n<!-- torture:end -->\n\nMore of others.\n'
  )
  await writeProof(path, [result('disk', 'PASS', 1111), result('kill', 'FAIL', 2222)], { order, ran })
  await writeProof(path, [result('kill', 'PASS', 3333)], { order, ran })
  const page = await readFile(path, 'utf8')
  expect(page).toMatch(/^# Proof\n\nOf others\.[^]*3,333[^]*1,111[^]*torture:end -->\n\nMore of others\.\n$/)
  expect(page).not.toContain('2,222')
  expect(page.match(/### /g)).toHaveLength(2)
})

test('makes the page when there is none', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'proof.md')
  await writeProof(path, [result('kill', 'NOT RUN', 0)], { order, ran })
  expect(await readFile(path, 'utf8')).toContain('### kill: NOT RUN')
})
