/**
 * A budget of steps for applying layers over each other and looking up paths in them. The contents of a
 * registry determine how many steps that takes, so an implementation throws an error of its own when there
 * are too many. A step takes some 10 to 50 nanoseconds.
 */
export interface StepBudget {
  spend(steps: number): void
}
