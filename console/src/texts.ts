// Every word the page says, in one place.
import type {
  AlertNotification,
  AlertState,
  DeliveryNotification,
  Kind,
  Role,
  Severity
} from './api/shapes.ts'

const severities: Record<Severity, string> = {
  info: 'Info',
  warning: 'Warning',
  minor: 'Minor',
  major: 'Major',
  critical: 'Critical'
}
const kinds: Record<Kind, string> = {
  event: 'Event',
  presence: 'Presence',
  alert: 'Alert',
  delivery: 'Delivery'
}
const states: Record<AlertState, string> = {
  firing: 'Firing',
  acknowledged: 'Acknowledged',
  resolved: 'Resolved'
}
const changes: Record<AlertNotification['change'], string> = {
  raised: 'raised',
  repeated: 'happened again',
  severity: 'changed severity',
  flapping: 'is flapping',
  acknowledged: 'acknowledged',
  resolved: 'resolved'
}
const outcomes: Record<DeliveryNotification['outcome'], string> = {
  sent: 'told',
  failed: 'not reached',
  'gave-up': 'given up',
  suppressed: 'not told'
}
const roles: Record<Role, string> = { viewer: 'viewer', operator: 'operator', admin: 'admin' }

export const texts = {
  product: 'Tocsin',
  severities,
  kinds,
  states,
  changes,
  outcomes,
  roles,

  common: {
    loading: 'Loading …',
    retry: 'Try again',
    cancel: 'Cancel',
    close: 'Close',
    comment: 'Comment',
    commentHint: 'What others should know',
    copy: 'Copy',
    copied: 'Copied',
    none: 'None',
    more: 'Show more',
    ago: (duration: string) => `${duration} ago`,
    since: (duration: string) => `for ${duration}`,
    unreachable: 'The server can’t be reached. Is it running, and is the network up?',
    failed: (message: string) => `That did not work: ${message}`,
    skip: 'Skip to the content'
  },

  nav: {
    label: 'Pages',
    menu: 'Menu',
    overview: 'Overview',
    feed: 'Live feed',
    alerts: 'Alerts',
    devices: 'Devices',
    rules: 'Rules',
    silences: 'Silences',
    channels: 'Channels',
    firing: (count: number) => `${count} firing`
  },

  account: {
    label: 'You and this page',
    signedInAs: (name: string, role: Role) => `${name} · ${roles[role]}`,
    signOut: 'Sign out',
    theme: 'Colours',
    themes: { system: 'As the system', light: 'Light', dark: 'Dark' },
    attention: 'On a new critical alert',
    sound: 'Play a sound',
    badge: 'Count in the window’s title',
    desktop: 'Show a desktop notification',
    desktopRefused: 'This browser does not allow notifications for this page.',
    help: 'Keyboard help'
  },

  connection: {
    connecting: 'Connecting …',
    live: 'Live',
    waiting: (seconds: number) => `Connection lost. Next try in ${seconds} s.`,
    retryNow: 'Try now'
  },

  signIn: {
    title: 'Sign in',
    lead: 'Use an operator’s token. It is kept by the server’s cookie, not by this page.',
    token: 'Token',
    submit: 'Sign in',
    busy: 'Signing in …',
    link: 'The sign-in link was used before or is too old. Make a new one with “tocsin console”, or sign in with a token.',
    wrong:
      'The server does not know this token. Look for it in admin.token in the data folder, or make one with “tocsin tokens create”.',
    help: 'Where do I get a token?',
    helpText:
      'On the server, “tocsin console” prints a link that signs a browser in once; “tocsin tokens create --role operator” makes a token.'
  },

  keys: {
    title: 'Keyboard',
    help: 'This help',
    goTo: (page: string) => `Go to ${page}`,
    search: 'To the search or filter',
    down: 'Next row',
    up: 'Previous row',
    open: 'Open the row',
    close: 'Close what is open',
    acknowledge: 'Acknowledge the alert',
    resolve: 'Resolve the alert',
    silence: 'Silence the alert',
    pause: 'Pause or resume the feed'
  },

  feed: {
    title: 'Live feed',
    list: 'Notifications, newest first',
    topics: 'Topics',
    topicsHint: 'site/+/door, alarm/#',
    devices: 'Devices',
    devicesHint: 'pump-1, pump-2',
    kinds: 'Kinds',
    severityMin: 'From severity',
    text: 'Text',
    textHint: 'In any field',
    clear: 'Clear filters',
    filters: 'Filters',
    filtersOn: 'Filters (on)',
    pause: 'Pause',
    resume: 'Resume',
    paused: 'Paused',
    following: 'Following',
    newOnes: (count: string) => `${count} new`,
    perSecond: (rate: string) => `${rate}/s`,
    held: (count: string) => `${count} shown`,
    older: 'Looking for older ones …',
    oldest: 'This is the oldest that is kept.',
    full: 'The list is full. Narrow the filter to see older ones.',
    searchedTo: (time: string) => `Nothing older down to ${time} has this text.`,
    searchOn: 'Search further back',
    empty: 'Nothing has come yet that passes these filters.',
    gap: 'Something is missing',
    gapDetail: 'Retention removed it before it could be shown here.',
    open: 'Open',
    invalid: (message: string) => `The server refuses this filter: ${message}`,
    details: 'Notification',
    columns: {
      time: 'Time',
      severity: 'Severity',
      device: 'Device',
      kind: 'Kind',
      what: 'What',
      text: 'Says'
    }
  },

  details: {
    payload: 'Payload',
    base64: 'bytes, as base64',
    causes: 'Causes',
    cause: 'Caused by',
    causeGone: 'Its cause is no longer kept.',
    receivedAt: 'Received',
    deviceAt: 'Device’s time',
    device: 'Device',
    topic: 'Topic',
    source: 'Came over',
    status: 'Status',
    reason: 'Reason',
    session: 'Session',
    alert: 'Alert',
    alerts: 'Alerts',
    rule: 'Rule',
    key: 'Key',
    change: 'What happened',
    title: 'Title',
    detail: 'Detail',
    count: 'Times',
    by: 'By',
    comment: 'Comment',
    channel: 'Channel',
    attempt: 'Attempt',
    outcome: 'Outcome',
    cursor: 'Cursor',
    onlyTopic: 'Only this topic',
    onlyDevice: 'Only this device'
  },

  overview: {
    title: 'Overview',
    allWell: 'Nothing is wrong that a rule knows of.',
    noRules: 'No rules are in force, so nothing raises alerts. See docs/rules.md.',
    wrong: (count: number) => (count === 1 ? 'One alert is firing' : `${count} alerts are firing`),
    acknowledgedToo: (count: number) => `${count} acknowledged`,
    openAlerts: 'What is wrong now',
    allAlerts: 'All alerts',
    unwritable: (reason: string) => `Nothing can be stored now: ${reason}`,
    behind: (count: string) => `Rules are ${count} notifications behind.`,
    devices: 'Devices online',
    ofKnown: (count: string) => `of ${count} known`,
    eventsPerSecond: 'Events a second',
    connections: 'Device connections',
    mqtt: 'MQTT',
    tcp: 'Raw TCP',
    subscribers: 'Feed subscribers',
    delivery: 'From device to subscriber',
    median: 'Median',
    p99: '99th %',
    stored: 'Stored, 99th %',
    loopDelay: 'Event loop delay (p99)',
    openAlertsChart: 'Open alerts',
    otherAlerts: 'Minor and below',
    milliseconds: 'ms'
  },

  actions: {
    acknowledge: 'Acknowledge',
    resolve: 'Resolve',
    silence: 'Silence',
    titles: {
      acknowledge: (id: string) => `Acknowledge ${id}`,
      resolve: (id: string) => `Resolve ${id}`,
      silence: (id: string) => `Silence ${id}`
    },
    explained: {
      acknowledge: 'Somebody takes care of it: nobody is told of it any more, but of its end.',
      resolve: 'It is over, for good. If its condition is met again, a new alert is raised.',
      silence: 'Nobody is told of these alerts for a while. They are raised and resolved all the same.'
    },
    done: {
      acknowledge: (id: string) => `${id} is acknowledged.`,
      resolve: (id: string) => `${id} is resolved.`,
      silence: (id: string) => `${id} is silent now.`
    },
    howLong: 'For how long',
    durations: {
      '15m': '15 minutes',
      '1h': '1 hour',
      '2h': '2 hours',
      '8h': '8 hours',
      '1d': '1 day',
      '7d': '7 days'
    },
    what: 'What is kept silent',
    onlyThis: (rule: string, key: string) => `Rule ${rule} for ${key}`,
    wholeDevice: (device: string) => `Everything about ${device}`
  },

  notFound: {
    title: 'There is no such page',
    back: 'To the overview'
  },

  alerts: {
    title: 'Alerts',
    list: 'Alerts, the worst first',
    show: 'Which alerts',
    shows: { open: 'Open', resolved: 'Resolved' },
    rules: 'Rules',
    rulesHint: 'freezer-too-warm',
    none: 'No alert is open.',
    nonePass: 'No open alert passes these filters.',
    noneResolved: 'No alert was resolved that passes these filters.',
    cut: 'More alerts are open than this page holds: these are the newest. Resolve some, or narrow what rules raise.',
    times: (count: number) => `${count} times`,
    flapping: 'flapping',
    keysHint: 'Keys: ↓ ↑ choose, Enter opens, a acknowledges, r resolves, s silences.',
    inFeed: 'Alerts and deliveries in the feed'
  },

  alertPage: {
    story: 'What happened',
    facts: 'What is known',
    told: 'Who was told',
    runbook: 'What to do (runbook)',
    began: 'Began',
    lasted: (duration: string) => `lasted ${duration}`,
    count: 'Happened',
    times: (count: number) => `${count} times, the last`,
    byItself: 'its condition ended',
    truncated: 'There are older steps that are not shown.',
    gone: (count: number) => `${count} steps are no longer kept.`,
    cause: 'Cause:',
    nobody: 'Nobody yet: its route waits a moment before it tells, or no route leads from here to a channel.',
    nobodyAtAll:
      'Nobody: it was over before its route would have told it, or no route leads from here to a channel.',
    sentTimes: (count: number) => `told ${count} times`,
    failedTimes: (count: number) => (count === 1 ? 'one attempt failed' : `${count} attempts failed`),
    changes: {
      raised: 'Raised',
      repeated: 'Happened again',
      severity: 'Severity is now',
      flapping: 'Flapping: it is held open',
      acknowledged: 'Acknowledged',
      resolved: 'Resolved'
    } satisfies Record<AlertNotification['change'], string>,
    outcomes: {
      sent: (channel: string) => `Told ${channel}`,
      failed: (channel: string) => `Could not reach ${channel}`,
      'gave-up': (channel: string) => `Gave up on ${channel}`,
      suppressed: (channel: string) => `Did not tell ${channel}`
    } satisfies Record<DeliveryNotification['outcome'], (channel: string) => string>
  },

  charts: {
    noData: 'Nothing to draw yet.',
    summary: (name: string, low: string, high: string, last: string) =>
      `${name}: between ${low} and ${high}, last ${last}`
  }
}
