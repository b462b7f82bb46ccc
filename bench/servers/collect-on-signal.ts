// Loaded into a server before it starts, with --expose-gc: collects garbage on SIGUSR2, so that what is left is in use.
process.on('SIGUSR2', () => {
  globalThis.gc?.()
})
