// An example of handlers: a door that stays open at night, and a lamp in the hall that shows it. docs/handlers.md explains it.

const NIGHT_BEGINS = 22
const NIGHT_ENDS = 6

/** Handlers by topic pattern. Levels that begin with a colon are named. */
export const handlers = {
  'site/:site/door/:door'(event, actions) {
    const { site, door } = event.params
    const open = event.payload?.open === true
    const hour = new Date(event.at).getUTCHours()
    const night = hour >= NIGHT_BEGINS || hour < NIGHT_ENDS

    if (open && night)
      actions.raise({
        key: `${site}/${door}`,
        severity: 'major',
        title: `Door ${door} of ${site} is open at night`,
        labels: { site, door }
      })
    else if (!open) actions.clear(`${site}/${door}`)

    actions.publish(`site/${site}/hall/lamp`, { red: open && night }, { retain: true })
  },

  'site/:site/door/:door/battery'(event, actions) {
    if (event.payload?.percent < 10)
      actions.append({
        topic: `site/${event.params.site}/maintenance`,
        payload: { device: event.device, what: 'change the battery' },
        severity: 'warning'
      })
  }
}
