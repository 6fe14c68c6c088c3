/** A sum for each project, such as its bytes. */
export class Tally {
  readonly #sums = new Map<string, number>()

  add(project: string, amount: number): void {
    this.#sums.set(project, this.of(project) + amount)
  }

  of(project: string): number {
    return this.#sums.get(project) ?? 0
  }
}
