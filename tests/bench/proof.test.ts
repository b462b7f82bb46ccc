import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import {
  measuresWithResults,
  readResults,
  writeResults,
  type Committed
} from '../../bench/committed-results.ts'
import { BEGIN, END, proofSection, withSection } from '../../bench/proof.ts'
import { writeProof } from '../../bench/write-proof.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'

const committed: Committed = {
  environment: {
    date: '2026-11-27T12:00:00.000Z',
    machine: 'a machine, 2 cores',
    versions: { Tocsin: '1.2.3', Mosquitto: '2.0.11' },
    pinned: true
  },
  command: 'npm run bench -- --proof',
  seconds: 5,
  rounds: 3,
  results: [
    {
      measure: 'qos1-in',
      title: 'events in',
      rows: [
        { name: 'Mosquitto', peer: true, figures: { cost: 10 } },
        {
          name: 'Tocsin',
          figures: { cost: 6 },
          ratios: [{ to: 'Mosquitto', value: 0.6, rounds: [0.6, 0.66] }]
        }
      ],
      goals: [
        { what: 'events in', sense: 'at most', limit: 1, unit: '× Mosquitto', figure: 0.6 },
        { what: 'resume', sense: 'at least', limit: 500, unit: '/s', figure: 100, whyMissed: 'Of course.' },
        {
          what: 'aedes',
          sense: 'at most',
          limit: 1,
          unit: '× aedes',
          figure: Number.NaN,
          whyMissed: 'Not said.'
        }
      ],
      notes: ['A note.'],
      missing: ['aedes is not measured: no network']
    },
    {
      measure: 'growth',
      title: 'growth: rules',
      rows: [{ name: '0 rules', figures: { cost: 3 } }],
      chart: {
        title: 'Rules',
        across: 'rules',
        up: 'µs',
        points: ['0'],
        lines: [{ name: 'one', values: [3] }]
      }
    }
  ]
}

test('the section says where, when and how it was measured', () => {
  const section = proofSection([committed], 'images/growth.svg')
  expect(section).toContain('Written by `npm run bench -- --proof` on 2026-11-27.')
  expect(section).toContain('a machine, 2 cores; the server on one core')
  expect(section).toContain('Tocsin 1.2.3, Mosquitto 2.0.11')
  expect(section).toContain('Windows of 5 s, medians of 3 rounds.')
  expect(section).toContain('at most 10 % away')
})

test('the section has every goal with its verdict, and a reason only for those that are missed', () => {
  const section = proofSection([committed], 'images/growth.svg')
  expect(section).toContain('1 of 3 are met.')
  expect(section).toContain('| events in ≤ 1 × Mosquitto | 0.600 × Mosquitto | met |')
  expect(section).toContain('| resume ≥ 500 /s | 100 /s | missed |')
  expect(section).toContain('| aedes ≤ 1 × aedes | – | not measured |')
  expect(section).toContain('- resume: Of course.')
  expect(section).not.toContain('Not said.')
})

test('the section has every table with its notes, and the picture of growth', () => {
  const section = proofSection([committed], 'images/growth.svg')
  expect(section).toContain('| Tocsin | 6 | 0.600 |')
  expect(section).toContain('- aedes is not measured: no network\n- A note.')
  expect(section).toContain('![How the cost of an event grows](images/growth.svg)')
})

test('a section replaces the one before, and nothing of what is around it', () => {
  const others = `# Proof\n\nMine.\n\n${BEGIN}\n\nold\n\n${END}\n\n<!-- torture:begin -->\nkept\n<!-- torture:end -->\n`
  expect(withSection(others, 'new')).toBe(others.replace('old', 'new'))
  expect(withSection('# Proof\n\nMine.\n', 'new')).toBe(`# Proof\n\nMine.\n\n${BEGIN}\n\nnew\n\n${END}\n`)
  expect(withSection(null, 'new')).toMatch(
    /^# Proof\n[^]*<!-- bench:begin -->\n\nnew\n\n<!-- bench:end -->\n$/
  )
})

test('a document with one mark is refused, for nobody knows what would be lost', () => {
  expect(() => withSection(`# Proof\n${BEGIN}\n`, 'new')).toThrow(/before <!-- bench:end -->, or neither/)
  expect(() => withSection(`${END}\n${BEGIN}\n`, 'new')).toThrow(/before <!-- bench:end -->, or neither/)
})

test('results are read as they were written, with what was not a number', async () => {
  await using folder = await temporaryFolder()
  const results = join(folder.path, 'results')
  expect(await readResults(results, 'qos1-in')).toBeNull()
  expect(await measuresWithResults(results)).toEqual([])
  await writeResults(results, 'qos1-in', committed)
  expect(await readResults(results, 'qos1-in')).toEqual(committed)
  expect(await measuresWithResults(results)).toEqual(['qos1-in'])
})

test('the document and its picture are written from all results, whenever they were found', async () => {
  await using folder = await temporaryFolder()
  const places = { results: join(folder.path, 'results'), docs: join(folder.path, 'docs') }
  await mkdir(places.docs)
  await writeFile(join(places.docs, 'proof.md'), '# Proof\n\nMine.\n')
  await writeResults(places.results, 'qos1-in', committed)
  const written = await writeProof({ ...places, measures: ['tcp-in', 'qos1-in'] })
  expect(written).toEqual([join(places.docs, 'images/growth.svg'), join(places.docs, 'proof.md')])
  const text = await readFile(join(places.docs, 'proof.md'), 'utf8')
  expect(text).toContain('Mine.')
  expect(text).toMatch(/\| events in ≤ 1 × Mosquitto +\| +0\.600 × Mosquitto \| +met \|/)
  await writeProof({ ...places, measures: ['tcp-in', 'qos1-in'] })
  expect(await readFile(join(places.docs, 'proof.md'), 'utf8')).toBe(text)
})
