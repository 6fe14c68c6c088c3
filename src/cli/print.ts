/** Prints a result: as JSON with `--json`, otherwise as text for people. */
export function print<Result>(
  { json }: { readonly json?: boolean },
  result: Result,
  text: (result: Result) => string,
): void {
  process.stdout.write(json ? `${JSON.stringify(result, undefined, 2)}\n` : text(result))
}
