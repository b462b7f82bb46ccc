// A long list of rows of one height, of which only those that are seen are in the document.
import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'

export interface VirtualListProps {
  count: number
  rowHeightPx: number
  /** One row; it gets its place from the list. `key` tells rows apart when they move. */
  renderRow: (index: number) => ComponentChildren
  keyOf: (index: number) => string
  label: string
  /** `listbox` rows are options, `rowgroup` rows are rows of a table around the list. */
  role: 'listbox' | 'rowgroup'
  /** Id of the row that has the focus within. */
  activeId?: string | undefined
  /** Where the row is that is brought into view when `revealKey` changes, and not when it merely moves; negative: nowhere. */
  revealIndex?: number
  revealKey?: string | null
  onKeyDown?: (event: KeyboardEvent) => void
  /** Called with whether the first row is seen, when that changes. */
  onAtTop?: (atTop: boolean) => void
  /** Called when the last rows come into view. */
  onNearEnd?: () => void
  /** Scrolls to the first row when it changes. */
  topSignal?: number
  /** Called with the rows that are in the document, from the first to before `end`, when they change. */
  onSeen?: (first: number, end: number) => void
  /** Where the row of a key is now. With it, the first row that is seen stays in its place when rows before it come or go. */
  indexOf?: (key: string) => number
}

/** Rows beyond what is seen, on each side, so that scrolling finds them there. */
const SPARE_ROWS = 8

export function VirtualList(props: VirtualListProps) {
  const { count, rowHeightPx, renderRow, keyOf, label, role, activeId, revealIndex = -1, revealKey } = props
  const { onKeyDown, onAtTop, onNearEnd, topSignal, onSeen, indexOf } = props
  const frame = useRef<HTMLDivElement>(null)
  const [view, setView] = useState({ top: 0, height: 600 })
  const atTop = useRef(true)
  const held = useRef({ key: '', index: 0 })

  useLayoutEffect(() => {
    const element = frame.current
    if (element === null) return
    const measure = () => setView({ top: element.scrollTop, height: element.clientHeight })
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    measure()
    return () => observer.disconnect()
  }, [])

  useLayoutEffect(() => {
    if (frame.current !== null && topSignal !== undefined) frame.current.scrollTop = 0
  }, [topSignal])

  useLayoutEffect(() => {
    const element = frame.current
    if (element === null || revealIndex < 0) return
    const rowTop = revealIndex * rowHeightPx
    if (rowTop < element.scrollTop) element.scrollTop = rowTop
    else if (rowTop + rowHeightPx > element.scrollTop + element.clientHeight)
      element.scrollTop = rowTop + rowHeightPx - element.clientHeight
  }, [revealKey, rowHeightPx])

  // At each drawing: what is in the list may have changed.
  useLayoutEffect(() => {
    const element = frame.current
    if (element === null || indexOf === undefined) return
    const before = held.current
    const index = element.scrollTop > 0 ? indexOf(before.key) : -1
    if (index >= 0) element.scrollTop += (index - before.index) * rowHeightPx
    const seen = Math.floor(element.scrollTop / rowHeightPx)
    held.current = { key: seen < count ? keyOf(seen) : '', index: seen }
  })

  const first = Math.max(0, Math.floor(view.top / rowHeightPx) - SPARE_ROWS)
  const end = Math.min(count, Math.ceil((view.top + view.height) / rowHeightPx) + SPARE_ROWS)

  useEffect(() => {
    if (count > 0 && end >= count) onNearEnd?.()
  }, [end, count, onNearEnd])

  useEffect(() => onSeen?.(first, end), [first, end, onSeen])

  const onScroll = () => {
    const element = frame.current
    if (element === null) return
    setView({ top: element.scrollTop, height: element.clientHeight })
    const isAtTop = element.scrollTop < rowHeightPx / 2
    if (isAtTop !== atTop.current) {
      atTop.current = isAtTop
      onAtTop?.(isAtTop)
    }
  }

  const rows = []
  for (let index = first; index < end; index++)
    rows.push(
      <div
        key={keyOf(index)}
        class="virtual-row"
        role="presentation"
        style={{ top: `${index * rowHeightPx}px`, height: `${rowHeightPx}px` }}
      >
        {renderRow(index)}
      </div>
    )
  return (
    <div
      ref={frame}
      class="virtual-list"
      role={role}
      aria-label={label}
      aria-activedescendant={activeId}
      tabIndex={0}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
    >
      <div class="virtual-space" role="presentation" style={{ height: `${count * rowHeightPx}px` }}>
        {rows}
      </div>
    </div>
  )
}
