import { defaults, type Settings, type Written } from "../settings.ts";
import { type Findings, shown } from "./findings.ts";

/** Settings whose default does not show their type. */
const EXAMPLES = {
  ...defaults,
  emails: ["data@example.com"],
  rawBucket: "files",
  sources: ["orders"],
  takeOver: ["rawBucket"],
  otherKeys: ["arn"],
};

/** Whether settings.ts holds what its type says: `cdk` runs it without the compiler's look. */
export function checkTypes(written: Written, settings: Settings, into: Findings): boolean {
  const before = into.problems.length;
  for (const name of Object.keys(written)) into.refuse(!(name in EXAMPLES), name, "there is no such setting");
  for (const [name, example] of Object.entries(EXAMPLES)) {
    const value = settings[name as keyof Settings];
    into.refuse(!isLike(value, example, name), name, `${shown(value)}; write it as ${wanted(example, name)}`);
  }
  return into.problems.length === before;
}

/** Settings that may be null, and else are like this. */
const NULLABLE: Record<string, unknown> = {
  csvClassifier: { delimiter: ",", quote: '"' },
  accessLogBucket: "logs",
  docsUrl: "https://git.example.com/crawlguard/docs/",
};

function isLike(value: unknown, example: unknown, name: string): boolean {
  if (name in NULLABLE) return value === null || isSame(value, NULLABLE[name]);
  return isSame(value, example);
}

function isSame(value: unknown, example: unknown): boolean {
  if (Array.isArray(example)) return Array.isArray(value) && value.every((item) => typeof item === "string");
  if (typeof example !== "object" || example === null) return typeof value === typeof example;
  const keys = Object.keys(example);
  if (typeof value !== "object" || value === null) return false;
  const of = value as Record<string, unknown>;
  return Object.keys(of).sort().join() === keys.sort().join() && keys.every((key) => typeof of[key] === "string");
}

const wanted = (example: unknown, name: string) =>
  JSON.stringify(name in NULLABLE ? NULLABLE[name] : example) + (name in NULLABLE ? " or null" : "");
