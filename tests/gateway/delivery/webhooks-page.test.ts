// docs/webhooks.md says what is sent, and its examples do what they say.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { readYaml } from '../../../gateway/alerting/yaml-reader.ts'
import { templateFormat } from '../../../gateway/delivery/formats/template.ts'
import { templateNames } from '../../../gateway/delivery/formats/template-values.ts'
import { tocsinFormat } from '../../../gateway/delivery/formats/tocsin.ts'
import { parseChannels } from '../../../gateway/delivery/parse-channels.ts'
import type { ChannelPlan } from '../../../gateway/delivery/parse-channels.ts'
import { signatureHeaders, signingKey } from '../../../gateway/delivery/signature.ts'
import { noticeAlert, sampleNotice } from './sample-notice.ts'

const page = readFileSync('docs/webhooks.md', 'utf8')
const publicUrl = 'https://tocsin.example.org'

/** The blocks of a language. */
function blocks(language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(
    ([, text = '']) => text
  )
}

function plansOf(yaml: string): ChannelPlan[] {
  const { root, problems } = readYaml(yaml)
  const list = root?.fields(['channels'])?.need('channels')
  const plans = list === undefined ? [] : parseChannels(list)
  expect(problems).toEqual([])
  return plans
}

const plans = blocks('yaml').flatMap(plansOf)

/** What the channel of this name sends. */
function sent(name: string, title: string): string {
  const plan = plans.find(one => one.name === name)
  if (plan?.type !== 'webhook' || plan.format.is !== 'template') throw new Error(`${name} has no template`)
  const notice = sampleNotice({ alerts: [noticeAlert({ title })] })
  return templateFormat(plan.format.template)(notice, { channel: name, publicUrl }).body
}

describe('docs/webhooks.md', () => {
  test('has channels that can be read', () => {
    expect(plans.map(({ name }) => name)).toEqual(['duty', 'bridge', 'slack', 'teams', 'phone', 'pager'])
  })

  test('shows the body that is sent', () => {
    const [body = ''] = blocks('json')
    const { body: expected } = tocsinFormat(sampleNotice({ id: 'mb2x7q-d17' }), { publicUrl })
    expect(JSON.parse(body)).toEqual(JSON.parse(expected))
  })

  test('verifies signatures as its example says', async () => {
    const [example = ''] = blocks('js')
    const body = '{"title":"−3 °C"}'
    for (const secret of ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'correct horse']) {
      const headers = signatureHeaders({ id: 'n1', at: Date.now(), body }, signingKey(secret))
      const old = signatureHeaders({ id: 'n1', at: Date.now() - 600_000, body }, signingKey(secret))
      const calls = [
        { headers, body, secret },
        { headers, body: `${body} `, secret },
        { headers, body, secret: 'another' },
        { headers: { ...headers, 'webhook-id': 'n2' }, body, secret },
        { headers: old, body, secret },
        { headers: {}, body, secret }
      ]
      const script = `${example}\nconsole.log(JSON.stringify(${JSON.stringify(calls)}.map(isGenuine)))`
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
      expect(JSON.parse(stdout)).toEqual([true, false, false, false, false, false])
    }
  })

  test('lists every name of templates, and no other', () => {
    const section = page.split('\n## Templates\n')[1]?.split('\n### ')[0] ?? ''
    const names = [...section.matchAll(/^\| `([\w.]+)` +\|/gm)].map(([, name]) => name)
    expect(names.toSorted()).toEqual([...templateNames, 'labels.NAME'].toSorted())
  })

  test.each(['slack', 'teams', 'phone'])('has a template for %s that no title breaks', name => {
    const plain = JSON.parse(sent(name, 'freezer-7 is warm')) as object
    const odd = JSON.parse(sent(name, '"}, {"x": "\n\\ {id}')) as object
    expect(Object.keys(odd)).toEqual(Object.keys(plain))
    expect(JSON.stringify(plain)).toContain('freezer-7 is warm')
  })

  test('gives Slack what devices say as plain text only, and no longer than it takes', () => {
    const title = `<!channel> ${'x'.repeat(5000)}`
    const texts = [...sent('slack', title).matchAll(/\{"type":"plain_text","text":"([^"]*)"\}/g)]
    const lengths = texts.map(([, text = '']) => text.length)
    expect(lengths).toHaveLength(3)
    expect(lengths[0]).toBeLessThanOrEqual(150)
    expect(lengths[1]).toBeLessThanOrEqual(3000)
    const rest = texts.reduce((body, [whole]) => body.replace(whole, ''), sent('slack', title))
    expect(rest).not.toContain('<!channel>')
  })

  test('tells ntfy a priority that is a number', () => {
    expect(JSON.parse(sent('phone', 'warm'))).toMatchObject({
      topic: 'my-tocsin',
      priority: 5,
      click: 'https://tocsin.example.org/alerts/a7'
    })
  })
})
