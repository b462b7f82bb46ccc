// Writes the bench's section of docs/proof.md, and its picture, from all results that are committed.
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readResults, type Committed } from './committed-results.ts'
import { writeFormatted } from './formatted.ts'
import { chartsSvg } from './plot/charts.ts'
import { proofSection, withSection } from './proof.ts'

const IMAGE = 'images/growth.svg'

export interface ProofPlaces {
  /** Folder with a file of results for each measure. */
  results: string
  /** The docs folder. */
  docs: string
  /** Measures in the order in which they are reported. */
  measures: readonly string[]
}

/** Returns the files that were written. */
export async function writeProof({ results, docs, measures }: ProofPlaces): Promise<string[]> {
  const found: Committed[] = []
  for (const measure of measures) {
    const committed = await readResults(results, measure)
    if (committed !== null) found.push(committed)
  }
  const written: string[] = []
  const charts = found.flatMap(committed => committed.results.flatMap(({ chart }) => (chart ? [chart] : [])))
  if (charts.length > 0) {
    const image = join(docs, IMAGE)
    await mkdir(join(docs, 'images'), { recursive: true })
    await writeFile(image, chartsSvg(charts))
    written.push(image)
  }
  const file = join(docs, 'proof.md')
  const before = existsSync(file) ? await readFile(file, 'utf8') : null
  await writeFormatted(file, withSection(before, proofSection(found, IMAGE)))
  return [...written, file]
}
