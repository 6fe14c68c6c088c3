/** The options that choose how a result is printed. */
export type PrintOptions = { readonly json?: boolean | undefined; readonly quiet?: boolean | undefined }

/** How a result is shown: for people, and with `--quiet` as names alone, one a line. */
export type ResultTexts<Result> = {
  readonly text: (result: Result) => string
  readonly names: (result: Result) => string | readonly string[]
}

/** Prints a result on standard output: as JSON with `--json`, otherwise as text. */
export function print<Result>(
  { json, quiet }: PrintOptions,
  result: Result,
  { text, names }: ResultTexts<Result>,
): void {
  if (json) process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`)
  else if (quiet)
    process.stdout.write(
      [names(result)]
        .flat()
        .map((name) => `${name}\n`)
        .join(''),
    )
  else process.stdout.write(text(result))
}
