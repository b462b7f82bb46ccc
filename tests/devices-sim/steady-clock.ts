// Time for what must happen in time: however long the machine is busy with something else, nothing is late by that.

/** A clock that goes on by a millisecond at a time, and lets the event loop come by at each; use with `using`. */
export function steadyClock(): { now: () => number } & Disposable {
  let ms = 0
  const timer = setInterval(() => ms++, 1)
  return { now: () => ms, [Symbol.dispose]: () => clearInterval(timer) }
}
