// What the build makes of the console.
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'

const page = 'dist/console/page'
/** Most bytes that a first visit takes, compressed. */
const FIRST_LOAD_BYTES_MAX = 150 * 1024

describe('the console’s files', () => {
  test('take less than 150 KB to load, compressed as any browser can read it', async () => {
    const html = await readFile(join(page, 'index.html'), 'utf8')
    const named = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map(([, file = '']) => file)
    expect(named.length).toBeGreaterThanOrEqual(2)
    let bytes = Buffer.byteLength(html)
    for (const file of named) {
      const compressed = await stat(join(page, `${file}.gz`)).catch(() => stat(join(page, file)))
      bytes += compressed.size
    }
    expect(bytes).toBeLessThan(FIRST_LOAD_BYTES_MAX)
  })

  test('are all beside compressed ones, and name no other host', async () => {
    const files = await readdir(join(page, 'assets'))
    for (const file of files.filter(name => /\.(?:js|css)$/.test(name))) {
      const text = await readFile(join(page, 'assets', file), 'utf8')
      if (text.length >= 1024) expect(files).toEqual(expect.arrayContaining([`${file}.br`, `${file}.gz`]))
      const named = text.matchAll(/(?:https?|wss?):\/\/[\w.-]+|["'(]\/\/[\w-]+\.[\w.-]+/g)
      const addresses = new Set([...named].map(([address]) => address))
      addresses.delete('http://www.w3.org') // names of SVG and MathML, which nobody asks for
      expect([...addresses]).toEqual([])
    }
  })
})
