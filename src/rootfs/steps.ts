/**
 * Takes the steps of laying layers over each other and of looking up paths in them. A registry chooses how many these are,
 * so what counts them ends the work that takes too many, by an error of its own. A step takes some 10 to 50 nanoseconds.
 */
export interface Steps {
  spend(steps: number): void
}
