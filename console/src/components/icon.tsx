// Line drawings beside words; they say nothing that the words do not.
const paths = {
  bell: 'M12 3a6 6 0 0 0-6 6v4l-2 3h16l-2-3V9a6 6 0 0 0-6-6zM10 19a2 2 0 0 0 4 0',
  menu: 'M4 7h16M4 12h16M4 17h16',
  overview: 'M4 19V11M10 19V5M16 19v-6M21 19H3',
  feed: 'M4 6h16M4 12h16M4 18h10',
  device: 'M7 4h10v16H7zM10.5 17h3',
  rule: 'M5 5h14M5 5v14M9 15l3-4 3 2 4-6',
  silence: 'M4 10v4h3l5 4V6L7 10zM16 9l5 6M21 9l-5 6',
  channel: 'M4 12l16-8-6 16-3-6z',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM5 20c1-4 4-5 7-5s6 1 7 5',
  pause: 'M8 5v14M16 5v14',
  play: 'M7 5l12 7-12 7z'
} as const
export type IconName = keyof typeof paths

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  )
}
