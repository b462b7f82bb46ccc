// Errors that end a command with a sentence and an exit code in place of a stack trace.

/** 1: the command failed. 2: it was called in a wrong way, or its configuration is wrong. */
export type ExitCode = 1 | 2

/** What a person sees when a command can't do what it was asked. */
export class CliError extends Error {
  readonly exitCode: ExitCode

  constructor(message: string, exitCode: ExitCode = 1, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CliError'
    this.exitCode = exitCode
  }
}
