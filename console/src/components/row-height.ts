// How high the rows of a list are in a window of this width. The style sheet changes the layout at the same width.
import { useEffect, useState } from 'preact/hooks'

const NARROW = '(max-width: 760px)'

export function useRowHeight({ widePx, narrowPx }: { widePx: number; narrowPx: number }): number {
  const [narrow, setNarrow] = useState(() => matchMedia(NARROW).matches)
  useEffect(() => {
    const query = matchMedia(NARROW)
    const onChange = () => setNarrow(query.matches)
    query.addEventListener('change', onChange)
    return () => query.removeEventListener('change', onChange)
  }, [])
  return narrow ? narrowPx : widePx
}
