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

  common: {
    loading: 'Loading …',
    retry: 'Try again',
    cancel: 'Cancel',
    close: 'Close',
    comment: 'Comment',
    commentHint: 'What others should know',
    copy: 'Copy',
    copied: 'Copied',
    copyByHand: 'It is selected: copy it with the keyboard. The browser does not let this page do it.',
    none: 'None',
    more: 'Show more',
    ago: (duration: string) => `${duration} ago`,
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
    signOutFailed: (problem: string) => `You are still signed in. ${problem}`,
    theme: 'Colours',
    themes: { system: 'As the system', light: 'Light', dark: 'Dark' },
    attention: 'On a new critical alert',
    sound: 'Play a sound',
    soundWaits: 'Click anywhere to let this page sound.',
    badge: 'Count in the window’s title',
    desktop: 'Show a desktop notification',
    desktopRefused: 'This browser does not allow notifications for this page.',
    help: 'Keyboard help'
  },

  connection: {
    connecting: 'Connecting …',
    live: 'Live',
    lost: 'Connection lost.',
    nextTry: (seconds: number) => `Next try in ${seconds} s.`,
    retryNow: 'Try now',
    refused: (reason: string) => `The server ended the live connection: ${reason}`
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
    pause: 'Pause or resume the feed',
    submit: 'Do it, from within a comment',
    after: 'then',
    or: 'or'
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
    gapDetail: 'The log has it no more: retention removed it, or the disk damaged it.',
    open: 'Open',
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
    noRules: 'No rules are in force: alerts come only from handlers and from outside. See docs/rules.md.',
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

  devices: {
    title: 'Devices',
    list: 'Devices, by their ids',
    search: 'Search',
    searchHint: 'Text in the id',
    status: 'Presence',
    anyStatus: 'Any',
    statuses: { online: 'Online', offline: 'Offline', unknown: 'Unknown' },
    statusHints: {
      online: 'Connected now',
      offline: 'Not connected now',
      unknown: 'Has not connected, or its events came over HTTP'
    },
    count: (count: number, text: string) => (count === 1 ? 'One device' : `${text} devices`),
    countAtLeast: (text: string) => `The first ${text} devices; more as you scroll`,
    registered: 'Registered',
    notRegistered: 'Not registered',
    largePayload: 'A large payload',
    neverSeen: 'Never',
    noEvent: 'No event yet',
    perMinute: (rate: string) => `${rate}/min`,
    openAlerts: (count: number) => (count === 1 ? 'One open alert' : `${count} open alerts`),
    columns: {
      presence: 'Presence',
      id: 'Device',
      seen: 'Last seen',
      values: 'Last values',
      rate: 'Rate',
      registered: 'Registration',
      alerts: 'Alerts'
    },
    nothingFound: 'No device is like this.',
    clear: 'Show all devices',
    empty: 'No device has connected yet.',
    connectLead:
      'A device connects over MQTT, raw TCP or HTTP. To try it, send an event with a tool of Mosquitto’s:',
    connectRegistered:
      'Where only registered devices are let in, register one first, and add -u with its id and -P with its token.',
    register: 'Register a device',
    registerThis: 'Register',
    registerLead:
      'The device gets a token of its own and connects with it from then on. If it is connected now, it must come back with the token.',
    id: 'Id',
    idHint: 'pump-7',
    registerTitle: (id: string) => `Register ${id}`,
    rotate: 'New token',
    rotateTitle: (id: string) => `A new token for ${id}`,
    rotateLead:
      'The token that it has ends at once, and so does its connection. It must be given the new token to connect again.',
    remove: 'End registration',
    removeTitle: (id: string) => `End the registration of ${id}`,
    removeLead: [
      'Its token ends at once, and so does its connection.',
      'What it sent stays, and so do its alerts.',
      'Where devices are let in without a registration, anyone may connect under this id again.'
    ],
    removed: (id: string) => `${id} is not registered any more.`,
    tokenTitle: (id: string) => `The token of ${id}`,
    tokenLead:
      'This is the only time that the token is shown. Copy it to the device now; the server keeps but a hash of it.',
    token: 'Token',
    tokenUse: (id: string) =>
      `Over MQTT, ${id} is the user name and the token the password; over raw TCP, both are in the hello.`,
    tokenDone: 'I have copied it',
    unknown: (id: string) => `No device “${id}” is registered or was ever seen.`,
    toAll: 'All devices',
    forSoLong: 'for',
    registration: 'Registration',
    firstSeen: 'First seen',
    lastSeen: 'Last seen',
    events: 'Events in all',
    eventsPerMinute: 'Events a minute',
    presence: 'Presence',
    facts: 'What is known of it',
    open: 'Open alerts',
    noOpen: 'It has no open alert.',
    resolvedAlerts: 'Its resolved alerts',
    charts: 'Values',
    noCharts: 'Its last events hold no numbers to draw.',
    chartsLeftOut: (count: number) => `${count} more fields are not drawn.`,
    spans: 'Behind the values: its alerts, from their beginning to their end.',
    timeline: 'Time line'
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

  match: {
    everything: 'every alert',
    severityMin: (severity: string) => `severity ${severity} or worse`,
    severityMost: (severity: string) => `severity ${severity}`,
    rules: (names: string) => `rule ${names}`,
    devices: (ids: string) => `device ${ids}`,
    topics: (filters: string) => `topic ${filters}`,
    keys: (keys: string) => `key ${keys}`,
    label: (name: string, value: string) => `label ${name} = ${value}`,
    noLabel: (name: string) => `no label ${name}`,
    or: ' or ',
    and: ', ',
    fields: {
      severityMin: 'From severity',
      anySeverity: 'Any',
      rules: 'Rules',
      devices: 'Devices',
      topics: 'Topics',
      keys: 'Keys',
      labels: 'Labels'
    },
    hints: {
      rules: 'too-warm, door-*',
      devices: 'pump-1, freezer-*',
      topics: 'site/hall/#',
      keys: 'hall',
      labels: 'site=hall, line=3'
    },
    explained:
      'All that is given must hold; of a list, any. * stands for any text. Separate with commas. What is left empty matches everything.'
  },

  rules: {
    title: 'Rules',
    types: {
      threshold: 'Threshold',
      count: 'How often',
      rate: 'How fast',
      absent: 'Silence of a device',
      offline: 'Offline',
      alarm: 'Events that are alarms'
    },
    byValue: 'Severity by value',
    none: 'No rules are in force, so nothing raises alerts.',
    begin:
      'Write rules into a YAML file (docs/rules.md in the project shows every type with an example), name the file by the setting alerting.file, and restart; later changes are read by “tocsin reload”, or here. Before that, you can try a rule on what is stored.',
    tryNew: 'Try a new rule',
    reload: 'Reload the file',
    reloading: 'Reloading …',
    reloaded: (rules: number, handlers: number, channels: number, routes: number) =>
      `In force: rules: ${rules}, handlers: ${handlers}, channels: ${channels}, routes: ${routes}.`,
    reloadRefused: 'The alerting file has problems, so nothing was changed:',
    line: (line: number) => `Line ${line}`,
    anyTopic: 'any topic',
    anyDevice: 'any device',
    topics: 'Topics',
    devices: 'Devices',
    condition: 'Raised when',
    key: 'Key',
    alertTitle: 'Title',
    runbook: 'What to do',
    text: 'As YAML',
    open: 'Open alerts',
    raised: 'Raised',
    evaluations: 'Evaluations',
    errors: 'Errors',
    keys: 'Keys',
    sinceStart: 'Evaluations, errors and raised are counted since the server started.',
    lastError: (error: string) => `Last error: ${error}`,
    clearsWhen: '; cleared when ',
    forTime: (duration: string) => ` for ${duration}`,
    times: (count: number, within: string) => ` ${count} times within ${within}`,
    rateOf: 'rate (the change of ',
    ratePer: (per: string, within: string) => ` per ${per}, over ${within}): `,
    absent: (duration: string) => `nothing came for ${duration}`,
    offline: (duration: string) => `not connected for ${duration}`,
    valueOf: 'the value of ',
    says: ' says so: ',
    meaning: (value: string, meaning: string) => `${value}: ${meaning}`,
    otherwise: (meaning: string) => `anything else: ${meaning}`,
    meanings: { clear: 'over', ignore: 'passed by' },
    where: '; looked at where ',
    content: 'What it says',
    figures: 'How it does',
    unknown: (name: string) => `No rule “${name}” is in force.`,
    all: 'All rules',
    handlers: 'Handlers',
    handlerColumns: {
      module: 'Module',
      pattern: 'Topics',
      events: 'Events',
      errors: 'Errors',
      slow: 'Held up the event loop'
    },
    slow: (times: string, longest: string) => `${times} times, ${longest} ms at most`
  },

  dryRun: {
    title: 'Try it on history',
    newTitle: 'Try a new rule',
    newLead:
      'The rule runs over what is stored. Nothing is written, and nobody is told. To put it in force, add it to the alerting file.',
    lead: 'The rule runs over what is stored, as it is or changed. Nothing is written, and nobody is told.',
    viewer: 'Trying a rule on history needs the role operator. You are signed in as a viewer.',
    which: 'What to try',
    inForce: 'The rule in force',
    edited: 'A changed text',
    text: 'Rule, as in the alerting file',
    from: 'From',
    presets: {
      '15m': '15 minutes ago',
      '1h': '1 hour ago',
      '6h': '6 hours ago',
      '24h': '24 hours ago',
      '7d': '7 days ago'
    },
    typed: 'Another time …',
    fromTyped: 'From: a time, or how long ago',
    to: 'To: empty for now',
    timeHint: '90m, or 2026-09-21T14:00:00Z',
    run: 'Try it',
    running: 'Looking through history …',
    abort: 'Stop',
    aborted: 'Stopped. What was found till then is not known.',
    problems: 'The rule has problems:',
    fired: (times: string, keys: string) => `Fired ${times}, for ${keys}`,
    once: 'once',
    times: (count: string) => `${count} times`,
    oneKey: 'one key',
    keys: (count: string) => `${count} keys`,
    firedNever: 'It would not have fired',
    looked: (looked: string, from: string, to: string) =>
      `Looked at ${looked} notifications from ${from} to ${to}.`,
    incomplete: (to: string) =>
      `It ended at ${to}, before the time that was asked for: a limit was reached (alerting.dryRunEventsMax or alerting.dryRunTimeoutMs). Try a shorter time.`,
    errors: (times: string, error: string) => `Its expressions failed ${times}. Last error: ${error}`,
    lanes: 'When it fired, for each key',
    lane: (key: string, times: string) => `${key}: fired ${times}. Show why.`,
    lanesMore: (keys: string, firings: string) =>
      `${keys} more keys, with ${firings} firings, are not drawn; the table has them.`,
    onlyFirst: (shown: string) => `Only the first ${shown} firings are shown.`,
    table: 'The firings',
    at: 'Fired',
    lasted: 'For',
    still: 'still at the end',
    severity: 'Severity',
    key: 'Key',
    titleColumn: 'Title',
    count: 'Times met',
    cause: 'Cause',
    showCause: 'Cause',
    showCauseOf: (key: string, at: string) => `Cause of the firing for ${key} at ${at}`,
    showValues: 'Values',
    showValuesOf: (key: string, at: string) => `Values around the firing for ${key} at ${at}`,
    causeGone: 'What caused it is no longer kept.',
    noCause: 'Nothing caused it but the time that passed.',
    values: (device: string) => `Values of ${device}`,
    valuesNear: (topic: string) => `On ${topic}. Where it fired is coloured.`,
    valuesNone: 'There are no numbers to draw near this firing.',
    valuesCut: (from: string, to: string) => `Only the values nearest to the firing: from ${from} to ${to}.`,
    valuesMore: (names: string) => `Not drawn: ${names}.`,
    example: `name: too-warm
topics: [site/+/temperature]
when: payload.celsius > 30.0
clear: payload.celsius < 28.0
for: 1m
severity: major
title: '{device} is at {payload.celsius} °C'
`
  },

  silences: {
    title: 'Silences',
    lead: 'Nobody is told of the alerts that a silence matches. They are raised and resolved all the same.',
    add: 'Add a silence',
    active: 'In force',
    pending: 'To come',
    ended: (count: string) => `Ended (${count})`,
    noneActive: 'Nothing is silenced now.',
    until: 'Until',
    from: 'From',
    by: 'By',
    left: (duration: string) => `${duration} left`,
    begins: (duration: string) => `in ${duration}`,
    endedBy: (actor: string) => `ended by ${actor}`,
    ranOut: 'ran out',
    covers: (count: number) =>
      count === 0
        ? 'Covers no open alert now.'
        : count === 1
          ? 'Covers one open alert now.'
          : `Covers ${count} open alerts now.`,
    coversAtLeast: (count: number) => `Covers at least ${count} open alerts now.`,
    end: 'End it',
    endTitle: 'End the silence',
    endLabel: (match: string) => `End it: the silence of ${match}`,
    endAsk: (match: string) => `Alerts that match are told again from now on: ${match}.`,
    endDone: 'The silence is ended.',
    added: 'The silence is added.',
    which: 'Which alerts',
    when: 'When',
    fromNow: 'From now',
    later: 'From later',
    fromTime: 'Begins',
    forTime: 'For a time',
    untilTime: 'Until a time',
    howLong: 'For how long',
    untilWhen: 'Ends'
  },

  channels: {
    title: 'Channels',
    none: 'There are no channels, so nobody is told of alerts. docs/alerts.md shows how to add channels and routes to the alerting file.',
    types: { webhook: 'Webhook', email: 'E-mail', mqtt: 'MQTT' },
    fine: 'Fine',
    unused: 'Not used yet',
    failing: 'Failing',
    leftAlone: 'Left alone for a while after failures',
    trying: 'Being tried again',
    waiting: (count: string) => `${count} waiting`,
    target: 'Target',
    lastAttempt: 'Last attempt',
    never: 'none since the server started',
    outcomes: { sent: 'sent', failed: 'failed', 'gave-up': 'given up', refused: 'refused' },
    test: 'Send a test',
    testLabel: (name: string) => `Send a test through ${name}`,
    testing: 'Sending …',
    tested: (outcome: string, detail: string) =>
      `The test was ${outcome}${detail === '' ? '.' : `: ${detail}`}`,
    testFailed: (detail: string) => `The test failed${detail === '' ? '.' : `: ${detail}`}`,
    failed: (count: string) => `Given up: ${count}`,
    resend: 'Send again',
    resendLabel: (id: string) => `Send again: delivery ${id}`,
    resent: 'It will be sent again.',
    routes: 'Routes',
    routesLead:
      'Tried from top to bottom; an alert goes to the first that matches, and further where it says so.',
    noRoutes: 'There are no routes, so nobody is told of alerts.',
    matches: 'Alerts',
    to: 'Told to',
    nobody: 'nobody',
    group: 'Gathered',
    groupAll: 'all together',
    groupBy: (names: string) => `by ${names}`,
    times: 'Times',
    wait: (wait: string, interval: string) =>
      `first told after ${wait}, then of changes every ${interval} at most`,
    repeat: (interval: string) => `told again every ${interval} while nobody acknowledges`,
    noRepeat: 'never repeated',
    escalate: 'Escalation',
    step: (after: string, channels: string) => `after ${after} without acknowledgement: ${channels}`,
    quiet: 'Quiet',
    days: ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'],
    everyDay: 'every day',
    allDay: 'the whole day',
    quietExcept: (severity: string) => `, but for ${severity} and worse`,
    onResolved: 'When it is over',
    toldResolved: 'told, too',
    notToldResolved: 'not told',
    goesOn: 'Then the routes after it are tried, too.'
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
    silenced: 'silenced',
    columns: { severity: 'Severity', what: 'Alert', state: 'State', when: 'Since', actions: 'Actions' },
    keysHint: 'Keys: ↓ ↑ choose, Enter opens, a acknowledges, r resolves, s silences.',
    inFeed: 'Alerts and deliveries in the feed'
  },

  alertPage: {
    title: (id: string) => `Alert ${id}`,
    story: 'What happened',
    facts: 'What is known',
    told: 'Who was told',
    runbook: 'What to do (runbook)',
    silenced: 'Silenced until',
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
    laterOutcome: 'After that:',
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
