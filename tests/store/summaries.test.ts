import { describe, expect, test } from '@jest/globals'
import { bloomMayHave, bloomOf } from '../../store/block-summary.ts'
import { compileFilter } from '../../store/filter.ts'
import { mergeRun } from '../../store/merge-plan.ts'

describe('the summary of a block’s devices', () => {
  test('has every device of the block, and few others', () => {
    for (const count of [1, 7, 500, 4096]) {
      const devices = Array.from({ length: count }, (_, index) => `sensor-${index.toString(16)}`)
      const bloom = bloomOf(new Set(devices))
      expect(devices.every(device => bloomMayHave(bloom, device))).toBe(true)
      const others = Array.from({ length: 10_000 }, (_, index) => `sensor-other-${index}`)
      const mistaken = others.filter(device => bloomMayHave(bloom, device)).length
      expect(mistaken).toBeLessThan(300)
      expect(bloom.length).toBeLessThanOrEqual(Math.max(8, count * 2.5))
    }
  })
})

describe('a filter', () => {
  const pump = { kind: 'event', device: 'pump', severity: 'minor', topic: 'pumps/1' } as const
  const alert = { kind: 'alert', device: 'pump', severity: 'major' } as const

  test('passes what meets all its conditions', () => {
    expect(compileFilter({})(pump)).toBe(true)
    expect(compileFilter({ kinds: ['event'], devices: ['pump'], topics: ['pumps/#'] })(pump)).toBe(true)
    expect(compileFilter({ kinds: ['event'], devices: ['pump'], topics: ['doors/#'] })(pump)).toBe(false)
    expect(compileFilter({ kinds: ['event'], devices: ['door'] })(pump)).toBe(false)
    expect(compileFilter({ severityMin: 'minor' })(pump)).toBe(true)
    expect(compileFilter({ severityMin: 'major' })(pump)).toBe(false)
    expect(compileFilter({ topics: ['doors/#', 'pumps/+'] })(pump)).toBe(true)
    expect(compileFilter({ topics: [] })(pump)).toBe(false)
  })

  test('on topics passes nothing without a topic, and wildcards no $ topic', () => {
    expect(compileFilter({ topics: ['#'] })(alert)).toBe(false)
    expect(compileFilter({ topics: ['#'] })({ ...pump, topic: '$SYS/x' })).toBe(false)
    expect(compileFilter({ topics: ['$SYS/#'] })({ ...pump, topic: '$SYS/x' })).toBe(true)
  })

  test('is compiled once', () => {
    const filter = { devices: ['pump'] }
    expect(compileFilter(filter)).toBe(compileFilter(filter))
  })
})

describe('the plan of merging', () => {
  const heads = (...counts: number[]) => {
    let next = 1
    return counts.map(count => {
      const first = next
      next += count
      return { first, last: next - 1, bytes: count * 100 }
    })
  }
  const firsts = (...counts: number[]) => mergeRun(heads(...counts)).run.map(head => head.first)

  test('joins small neighbours', () => {
    expect(firsts(1, 1, 1)).toEqual([1, 2, 3])
    expect(firsts(1)).toEqual([])
    expect(firsts()).toEqual([])
  })

  test('leaves out a large block until as much has come after it', () => {
    expect(firsts(100, 3, 2, 1)).toEqual([101, 104, 106])
    expect(firsts(100, 3)).toEqual([])
    expect(firsts(100, 60, 50)).toEqual([1, 101, 161])
  })

  test('passes by blocks that are full, for good', () => {
    expect(mergeRun(heads(4096, 4096, 10))).toEqual({ run: [], from: 8193 })
    expect(firsts(4096, 2000, 2000, 500)).toEqual([4097, 6097])
  })

  test('rewrites an entry few times however many blocks come', () => {
    const log: { first: number; last: number; bytes: number }[] = []
    let rewritten = 0
    for (let seq = 1; seq <= 4000; seq++) {
      log.push({ first: seq, last: seq, bytes: 100 })
      if (seq % 10 > 0) continue
      const { run } = mergeRun(log)
      const [oldest] = run
      const newest = run.at(-1)
      if (!oldest || !newest) continue
      rewritten += newest.last - oldest.first + 1
      log.splice(log.indexOf(oldest), run.length, {
        first: oldest.first,
        last: newest.last,
        bytes: (newest.last - oldest.first + 1) * 100
      })
    }
    expect(log.length).toBeLessThan(30)
    expect(rewritten).toBeLessThan(4000 * 12)
  })
})
