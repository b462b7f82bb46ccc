import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

interface LockedPackage {
  version?: string
  optionalDependencies?: Record<string, string>
}

test('the lock file names the builds for every platform, without which npm ci refuses it', () => {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>
  }
  const missing = Object.entries(packages).flatMap(([name, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      dependency =>
        !(`node_modules/${dependency}` in packages) && !(`${name}/node_modules/${dependency}` in packages)
    )
  )
  expect(missing).toEqual([])
})

test('what the setup script does not know is a sentence', () => {
  const setup = join(root, 'scripts/setup.cjs')
  const { status, stderr } = spawnSync(process.execPath, [setup, 'fly'], { encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 2, stderr: '"fly" is not one of setup, build, run, test.\n' })
})

test('a server that npm started ends with npm', async () => {
  await using folder = await temporaryFolder()
  const ports = ['mqtt', 'tcp', 'http'].flatMap(name => [`--${name}.port`, '0'])
  const npm = spawn('npm', ['start', '--', '--store.dir', folder.path, ...ports], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'ignore']
  })
  let output = ''
  npm.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  const serving = await eventually(() => /"pid":(\d+),"msg":"Serving"/.exec(output))
  const server = Number(serving[1])
  npm.kill('SIGTERM')
  await eventually(() => !isRunning(server))
})

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
