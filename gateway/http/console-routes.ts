// The operators' console: a page of one file, and what it loads, as a build made them. Nothing here needs to be signed
// in: the files are the same for everybody, and hold nothing.
import { access, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fastifyStatic } from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { GatewayError } from '../errors.ts'

export interface ConsoleOptions {
  /** Folder with index.html, assets/ and the like; files beside them that end in .br and .gz are the same, compressed. */
  dir: string
}

/** The page's own paths: each is answered with the page, so that a link to what it shows opens it. */
export const consolePaths = [
  '/',
  '/feed',
  '/alerts',
  '/alerts/*',
  '/devices',
  '/devices/*',
  '/rules',
  '/rules/*',
  '/silences',
  '/channels',
  '/overview',
  '/sign-in'
] as const

/** The page loads and connects to nothing but this server, runs no script that is written into it, and is in no frame. */
export const consoleHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'"
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()'
} as const

const YEAR_MS = 365 * 86_400_000
const config = { hidden: true }

/** Files beside the page that have names of their own, such as favicon.svg; looked for once. */
export async function findConsoleFiles(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []) // not built: every page says so
  return entries
    .filter(entry => entry.isFile() && /^[\w-][\w.-]*$/.test(entry.name))
    .map(({ name }) => name)
    .filter(name => name !== 'index.html' && !/\.(br|gz|map)$/.test(name))
}

/** Serves the console of a folder; `files` as `findConsoleFiles` gave them. */
export function consoleRoutes(
  app: FastifyInstance,
  { dir, files }: ConsoleOptions & { files: readonly string[] }
): void {
  app.register(async scope => {
    scope.addHook('onRequest', async (_request, reply) => void reply.headers(consoleHeaders))
    await scope.register(fastifyStatic, {
      root: dir,
      serve: false,
      preCompressed: true,
      dotfiles: 'ignore',
      index: false,
      suppressWarning: true
    })
    // Browsers ask each time whether it has changed: it names the files that belong to it.
    const unhashed = { cacheControl: false }
    for (const path of consolePaths)
      scope.get(path, { config }, async (_request, reply) => {
        await requirePage(dir)
        return reply.header('cache-control', 'no-cache').sendFile('index.html', unhashed)
      })
    for (const file of files)
      scope.get(`/${file}`, { config }, (_request, reply) =>
        reply.header('cache-control', 'no-cache').sendFile(file, unhashed)
      )
    scope.get<{ Params: { '*': string } }>('/assets/*', { config }, ({ params }, reply) => {
      const name = params['*']
      if (name === '' || name.endsWith('/')) return reply.callNotFound() // folders are not listed
      return reply.sendFile(`/assets/${name}`, { maxAge: YEAR_MS, immutable: true })
    })
  })
}

async function requirePage(dir: string): Promise<void> {
  try {
    await access(join(dir, 'index.html'))
  } catch (error) {
    throw new GatewayError(
      'console-missing',
      'the console was not built; "npm run build" builds it, and http.console=false switches it off',
      { cause: error }
    )
  }
}
