import type { Target } from "../project.ts";
import { defaults, type Settings, type Written } from "../settings.ts";
import { checkFolders } from "./folders.ts";
import { Findings, SettingsError } from "./findings.ts";
import { areNames, checkTarget } from "./target.ts";
import { checkTypes } from "./types.ts";
import { checkValues } from "./values.ts";

export { SettingsError } from "./findings.ts";
export { projectProblems } from "./project.ts";
export { namedTwice } from "./twice.ts";

/** A target whose names are all there. */
export type Complete = Target & Required<Pick<Target, "account" | "region" | "crawler" | "results">>;

export interface Checked {
  target: Complete;
  settings: Settings;
}

/** Settings with their defaults, and the target they belong to; throws all that is wrong at once. */
export function check(name: string, target: Target | undefined, written: Written, now: Date): Checked {
  const missing = `settings.ts ${name}: crawlguard.toml has no [targets.${name}] with kind = "aws"`;
  // Where it is taken over it may enforce its output, and then what expires are published tables.
  const isOthers = Array.isArray(written.takeOver) && written.takeOver.includes("workgroup");
  const settings: Settings = { ...defaults, ...(isOthers ? { resultDays: null } : {}), ...written };
  const inTarget = new Findings(`crawlguard.toml targets.${name}`);
  const inSettings = new Findings(`settings.ts ${name}`);
  const sound = checkTypes(written, settings, inSettings);
  if (sound) checkValues(sound, now, inSettings);
  if (target && areNames(target, inTarget) && sound) {
    checkTarget(target, sound, inTarget, inSettings);
    checkFolders(target, sound, inTarget, inSettings);
  }
  const problems = [...(target ? [] : [missing]), ...inTarget.problems, ...inSettings.problems];
  if (problems.length > 0) throw new SettingsError(problems);
  return { target: target as Complete, settings };
}
