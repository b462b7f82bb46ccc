// The lint rules that keep the rooms apart, tried on files that break them.
import { spawnSync } from 'node:child_process'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { temporaryFolder } from '../helpers/temporary-folder.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

const forbidden = [
  ['store/sqlite/a.ts', '../../broker/ingest.ts'],
  ['store/b.ts', '../config/schema.ts'],
  ['broker/tcp/c.ts', '../../gateway/errors.ts'],
  ['broker/d.ts', '../config/config.ts'],
  ['broker/e.ts', '../cli/serve.ts'],
  ['gateway/feed/f.ts', '../../broker/ingest.ts'],
  ['gateway/g.ts', '../devices-sim/fleet.ts'],
  ['devices-sim/h.ts', '../store/store.ts'],
  ['devices-sim/tcp/i.ts', '../../broker/tcp/session.ts'],
  ['devices-sim/j.ts', '../broker/ingest.ts'],
  ['config/k.ts', '../store/store.ts'],
  ['config/l.ts', '../broker/ingest.ts'],
  ['cli/m.ts', '../tests/helpers/eventually.ts'],
  ['console/src/u.ts', '../../gateway/errors.ts'],
  ['console/src/feed/v.ts', '../../../store/store.ts'],
  ['console/src/feed/w.ts', 'node:fs'],
  ['gateway/http/x.ts', '../../console/src/format.ts']
] as const

const allowed = [
  ['broker/tcp/n.ts', '../../store/store.ts'],
  ['broker/tcp/o.ts', '../authenticate.ts'],
  ['gateway/feed/p.ts', '../../store/store.ts'],
  ['devices-sim/q.ts', '../broker/tcp/frame-codec.ts'],
  ['devices-sim/tcp/r.ts', '../../broker/tcp/messages.ts'],
  ['config/s.ts', '../store/topic-filter.ts'],
  ['cli/t.ts', '../gateway/gateway.ts'],
  ['console/src/feed/y.ts', '../state/router.ts']
] as const

test('lint refuses an import across every wall between rooms, and no other', async () => {
  await using folder = await temporaryFolder()
  await copyFile(join(root, '.oxlintrc.json'), join(folder.path, '.oxlintrc.json'))
  for (const [file, target] of [...forbidden, ...allowed]) {
    await mkdir(dirname(join(folder.path, file)), { recursive: true })
    await writeFile(join(folder.path, file), `import { thing } from '${target}'\n\nthing()\n`)
  }
  const oxlint = join(root, 'node_modules/oxlint/bin/oxlint')
  const { stdout } = spawnSync(process.execPath, [oxlint, '--format', 'json'], {
    cwd: folder.path,
    encoding: 'utf8'
  })
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { filename: string; code: string }[] }
  const refused = diagnostics.filter(({ code }) => code.includes('no-restricted-imports'))
  expect(refused.map(({ filename }) => filename).sort()).toEqual(forbidden.map(([file]) => file).sort())
})
