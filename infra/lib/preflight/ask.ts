import type { Findings } from "../check/findings.ts";

/** What one `aws …` command answered. */
export interface Answer {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Asks the AWS CLI. */
export type Ask = (args: string[]) => Answer;

/** Asks it in the target's region. */
export type Aws = (...args: string[]) => Answer;

/** Where problems go: to a name in `crawlguard.toml`, or a setting. */
export type Into = Record<"target" | "settings", Findings>;

/** What would fail, and what is only good to know. */
export interface Looked {
  problems: string[];
  notes: string[];
}

/** What a command that did not fail has said. */
export function json({ status, stdout }: Answer): any {
  if (status !== 0) return undefined;
  try {
    return JSON.parse(stdout);
  } catch {
    return undefined;
  }
}
