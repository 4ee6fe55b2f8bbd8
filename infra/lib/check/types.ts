import { defaults, type Settings, type Written } from "../settings.ts";
import { type Findings, shown } from "./findings.ts";

/** Settings whose default does not show their type. */
const EXAMPLES: Settings = {
  ...defaults,
  emails: ["data@example.com"],
  rawBucket: "files",
  sources: ["orders"],
  takeOver: ["rawBucket"],
  otherKeys: ["arn"],
};

/** What stands for a setting of another type while all else is looked at: nothing is wrong with it. */
const SOUND: Settings = { ...EXAMPLES, takeOver: [], otherKeys: [], sources: ["lake/orders"] };

/**
 * Whether settings.ts holds what its type says: `cdk` runs it without the compiler's look. Returns settings that can be
 * looked at any further, or nothing where `takeOver` cannot be read, which most names hang on.
 */
export function checkTypes(written: Written, settings: Settings, into: Findings): Settings | undefined {
  for (const name of Object.keys(written)) {
    const near = Object.keys(EXAMPLES).find((known) => known.toLowerCase() === name.toLowerCase());
    const meant = near ? `; it is written \`${near}\`` : "";
    into.refuse(!(name in EXAMPLES), name, `there is no such setting${meant}`);
  }
  const unlike = Object.entries(EXAMPLES).filter(
    ([name, example]) => !isLike(settings[name as keyof Settings], example, name),
  );
  for (const [name, example] of unlike) {
    into.refuse(true, name, `${shown(settings[name as keyof Settings])}; write it as ${wanted(example, name)}`);
  }
  const names = unlike.map(([name]) => name as keyof Settings);
  if (names.includes("takeOver")) return undefined;
  return { ...settings, ...Object.fromEntries(names.map((name) => [name, SOUND[name]])) };
}

/** Settings that may be null, and else are like this. */
const NULLABLE: Record<string, unknown> = {
  csvClassifier: { delimiter: ",", quote: '"' },
  accessLogBucket: "logs",
  catalogKey: "arn:aws:kms:us-east-1:123456789012:key/1234",
  docsUrl: "https://git.example.com/crawlguard/docs/",
  resultDays: 7,
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
