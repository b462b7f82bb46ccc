// How the console becomes static files: hashed names under assets/, each beside its compressed forms.
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { defineConfig } from 'vite'

const outDir = fileURLToPath(new URL('../dist/console/page', import.meta.url))
/** What is smaller goes out in one packet either way. */
const COMPRESSED_FROM_BYTES = 1024

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0, // data: URLs are not in the content security policy
    modulePreload: { polyfill: false },
    reportCompressedSize: false
  },
  plugins: [{ name: 'compressed-forms', apply: 'build', closeBundle: () => compressAll(outDir) }],
  // While developing (npx vite console), the server is asked for everything that is not the page.
  server: { proxy: { '/v1': { target: 'http://127.0.0.1:8080', ws: true } } }
})

async function compressAll(folder) {
  for (const name of await readdir(folder, { recursive: true })) {
    const file = join(folder, name)
    if (!/\.(?:html|js|css|svg)$/.test(name) || (await stat(file)).size < COMPRESSED_FROM_BYTES) continue
    const bytes = await readFile(file)
    const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } }
    await writeFile(`${file}.br`, await promisify(brotliCompress)(bytes, quality))
    await writeFile(`${file}.gz`, await promisify(gzip)(bytes, { level: 9 }))
  }
}
