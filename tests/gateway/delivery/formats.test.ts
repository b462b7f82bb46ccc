import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { alertmanagerFormat } from '../../../gateway/delivery/formats/alertmanager.ts'
import { templateFormat } from '../../../gateway/delivery/formats/template.ts'
import { tocsinFormat } from '../../../gateway/delivery/formats/tocsin.ts'
import type { Notice } from '../../../gateway/delivery/notice.ts'
import { longText, shortText, subjectOf } from '../../../gateway/delivery/wording.ts'
import { channelsOf, noticeAlert, sampleNotice } from './sample-notice.ts'

const context = { channel: 'duty', publicUrl: 'https://tocsin.example/' }
const ended = noticeAlert({
  id: 'a8',
  key: 'freezer-8',
  device: 'freezer-8',
  title: 'freezer-8 is at −4 °C',
  labels: { site: 'a', hall: '2' },
  state: 'resolved',
  severity: 'major',
  resolvedAt: Date.UTC(2026, 0, 31, 12, 5, 0)
})

describe('the body of our own', () => {
  test('tells everything, with times as RFC 3339 and links', () => {
    expect(JSON.parse(tocsinFormat(sampleNotice(), context).body)).toEqual({
      type: 'alerts',
      id: 'n-1',
      reason: 'alert',
      status: 'firing',
      route: 'route-1',
      group: { rule: 'freezer-too-warm' },
      at: '2026-01-31T12:05:30.000Z',
      alerts: [
        {
          id: 'a7',
          rule: 'freezer-too-warm',
          key: 'freezer-7',
          device: 'freezer-7',
          eventTopic: 'site/a/freezer/7/temperature',
          labels: { site: 'a' },
          state: 'firing',
          severity: 'critical',
          title: 'freezer-7 is at −3 °C',
          detail: 'It should be below −18 °C.',
          runbook: 'https://wiki.example/freezers',
          count: 3,
          firstAt: '2026-01-31T12:00:00.000Z',
          lastAt: '2026-01-31T12:05:00.000Z',
          resolvedAt: null,
          url: 'https://tocsin.example/alerts/a7'
        }
      ],
      truncated: 0,
      url: 'https://tocsin.example/alerts/a7'
    })
  })

  test('has no links without a public URL, and no alert’s link in a test', () => {
    expect(tocsinFormat(sampleNotice(), { publicUrl: '' }).body).not.toContain('url')
    const test = JSON.parse(tocsinFormat(sampleNotice({ reason: 'test' }), context).body)
    expect(test.alerts[0]).not.toHaveProperty('url')
    expect(test.url).toBe('https://tocsin.example/alerts')
  })
})

describe('Alertmanager’s body', () => {
  test('is that of its webhooks, version 4', () => {
    const notice = sampleNotice({
      alerts: [noticeAlert(), ended],
      truncated: 5,
      group: { rule: 'r', site: 'a' }
    })
    expect(JSON.parse(alertmanagerFormat(notice, context).body)).toEqual({
      version: '4',
      groupKey: 'route-1:{rule="r", site="a"}',
      truncatedAlerts: 5,
      status: 'firing',
      receiver: 'duty',
      groupLabels: { alertname: 'r', site: 'a' },
      commonLabels: { alertname: 'freezer-too-warm', site: 'a' },
      commonAnnotations: {
        description: 'It should be below −18 °C.',
        runbook_url: 'https://wiki.example/freezers'
      },
      externalURL: 'https://tocsin.example/',
      alerts: [
        {
          status: 'firing',
          labels: {
            alertname: 'freezer-too-warm',
            device: 'freezer-7',
            key: 'freezer-7',
            severity: 'critical',
            site: 'a'
          },
          annotations: {
            summary: 'freezer-7 is at −3 °C',
            description: 'It should be below −18 °C.',
            runbook_url: 'https://wiki.example/freezers'
          },
          startsAt: '2026-01-31T12:00:00.000Z',
          endsAt: '0001-01-01T00:00:00Z',
          generatorURL: 'https://tocsin.example/alerts/a7',
          fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/)
        },
        expect.objectContaining({ status: 'resolved', endsAt: '2026-01-31T12:05:00.000Z' })
      ]
    })
  })
})

describe('wording', () => {
  test('says in a subject what it is about', () => {
    const several = [noticeAlert({ severity: 'minor' }), ended]
    expect(subjectOf(sampleNotice())).toBe('[critical] freezer-7 is at −3 °C')
    expect(subjectOf(sampleNotice({ reason: 'repeat' }))).toBe(
      '[critical, still firing] freezer-7 is at −3 °C'
    )
    expect(subjectOf(sampleNotice({ reason: 'escalation' }))).toBe(
      '[critical, not acknowledged] freezer-7 is at −3 °C'
    )
    expect(subjectOf(sampleNotice({ reason: 'test' }))).toBe('[test] freezer-7 is at −3 °C')
    expect(subjectOf(sampleNotice({ status: 'resolved', alerts: [ended] }))).toBe(
      '[resolved] freezer-8 is at −4 °C'
    )
    expect(subjectOf(sampleNotice({ alerts: several, truncated: 3 }))).toBe(
      '[minor] 5 alerts: freezer-7 is at −3 °C'
    )
  })

  test('gives each alert a line, and counts what is beyond ten', () => {
    const notice = sampleNotice({
      alerts: [noticeAlert(), ended, ...Array(10).fill(noticeAlert())],
      truncated: 2
    })
    const lines = shortText(notice).split('\n')
    expect(lines).toHaveLength(11)
    expect(lines[0]).toBe('critical: freezer-7 is at −3 °C (since 2026-01-31 12:00:00 UTC, 3 times)')
    expect(lines[1]).toBe('resolved: freezer-8 is at −4 °C (resolved at 2026-01-31 12:05:00 UTC, 3 times)')
    expect(lines[10]).toBe('and 4 more')
  })

  test('keeps what a device says to its line', () => {
    const notice = sampleNotice({
      alerts: [noticeAlert({ title: 'one\r\nBcc: two\u2028three', detail: 'a\nb' })]
    })
    expect(subjectOf(notice)).toBe('[critical] one Bcc: two three')
    expect(longText(notice, () => '').split('\n')).toContain('  a b')
  })
})

describe('templates', () => {
  test('fill names into texts at any place of a structure', () => {
    const format = template(`
body:
  topic: alerts
  title: "{severity}: {title}"
  priority: "{priority}"
  tags: ["{status}", "{labels.site}", "{labels.none}"]
  deep: [{text: "{{{count}}} {device}", on: true, none: null, number: 1.5}]
  click: "{url}"`)
    expect(format(sampleNotice(), context)).toEqual({
      contentType: 'application/json',
      body: JSON.stringify({
        topic: 'alerts',
        title: 'critical: freezer-7 is at −3 °C',
        priority: 5,
        tags: ['firing', 'a', ''],
        deep: [{ text: '{1} freezer-7', on: true, none: null, number: 1.5 }],
        click: 'https://tocsin.example/alerts/a7'
      })
    })
  })

  test('say of several alerts what they have together', () => {
    const format = template('body: "{count} {device} {severity} {style} {labels.hall}"')
    const alerts = ['1', '2', '3', '4', '5'].map(device => noticeAlert({ device, severity: 'minor' }))
    const notice = sampleNotice({ alerts: [...alerts, ended], truncated: 4 })
    expect(format(notice, context)).toEqual({
      contentType: 'text/plain; charset=utf-8',
      body: '10 1, 2, 3 and 3 more minor warning 2'
    })
  })

  test('let nothing break out of its text, whatever a device says', () => {
    const format = template(
      'body: {a: "x {title} y", "{key}": "{device}", list: ["{detail}", "{text}", "{labels.site}"]}'
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (one, other) => {
        const alert = noticeAlert({
          title: one,
          device: other,
          detail: one,
          key: other,
          labels: { site: one }
        })
        const body = JSON.parse(format(sampleNotice({ alerts: [alert] }), context).body)
        expect(Object.keys(body)).toEqual(['a', '{key}', 'list'])
        expect(body.list.map((item: unknown) => typeof item)).toEqual(['string', 'string', 'string'])
        expect(body.a).toMatch(/^x .* y$/su)
      })
    )
    const hostile = sampleNotice({ alerts: [noticeAlert({ title: '","admin":true,"{url}{detail}' })] })
    expect(JSON.parse(format(hostile, context).body)['a']).toBe('x ","admin":true,"{url}{detail} y')
  })

  test('are kept to what receivers take', () => {
    const format = template('body: ["{title}", "{text}", "{detail}", "{device}", "{labels.site}"]')
    const long = '😀'.repeat(5000)
    const alert = noticeAlert({ title: long, detail: long, device: long, labels: { site: long } })
    const texts = JSON.parse(
      format(sampleNotice({ alerts: Array(100).fill(alert) }), context).body
    ) as string[]
    for (const [index, most] of [140, 2800, 2800, 300, 300].entries()) {
      expect(texts[index]?.length).toBeLessThanOrEqual(most)
      expect(texts[index]?.isWellFormed()).toBe(true)
    }
  })

  test.each([
    ['body: "{titel}"', /body: \{titel\} is unknown; known are title, subject/],
    ['body: [{a: ["{labels.}"]}]', /body\[0\]\.a\[0\]: \{labels\.\} is unknown/],
    ['body: "{title"', /has a brace without its other/],
    ['body: "}"', /has a brace without its other/],
    ['contentType: text/plain', /needs body/],
    [
      '{contentType: application/json, body: "{title}"}',
      /contentType: must be text\/plain or text\/markdown/
    ],
    ['{contentType: application/xml, body: "<a>{title}</a>"}', /contentType: must be text\/plain/],
    ['{contentType: text/plain, body: {a: b}}', /contentType: must be of JSON/],
    ['{contentType: "application/json\\r\\nX-A: b", body: {a: b}}', /contentType: must be a media type/]
  ])('%s is a problem', (yaml, problem) => {
    const { plans, problems } = channelsOf(listOf(yaml))
    expect(plans).toEqual([])
    expect(problems.map(({ message }) => message)).toEqual([expect.stringMatching(problem)])
  })
})

function listOf(template: string): string {
  return `- name: one\n  webhook:\n    url: https://a.example\n    template:\n${template.trim().replace(/^/gm, '      ')}\n`
}

function template(
  yaml: string
): (notice: Notice, of: typeof context) => { contentType: string; body: string } {
  const { plans, problems } = channelsOf(listOf(yaml))
  expect(problems).toEqual([])
  const [plan] = plans
  if (plan?.type !== 'webhook' || plan.format.is !== 'template') throw new Error('no template')
  return templateFormat(plan.format.template)
}
