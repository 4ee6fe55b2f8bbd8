import assert from "node:assert/strict";
import { test } from "node:test";
import { cronProblem } from "../lib/cron.ts";
import type { Target } from "../lib/project.ts";
import type { Written } from "../lib/settings.ts";
import { check, SettingsError } from "../lib/check/index.ts";
import { settings } from "../settings.ts";
import { NOW, prod, project } from "./helpers.ts";

const target = project.targets.prod!;

function problems(written: Partial<Written>, changed: Partial<Record<keyof Target, unknown>> = {}): string[] {
  try {
    check("prod", { ...target, ...changed } as Target, { ...prod, ...written }, NOW);
    return [];
  } catch (error) {
    assert.ok(error instanceof SettingsError, String(error));
    return error.problems;
  }
}

test("the first user's settings are fine", () => {
  for (const [name, written] of Object.entries(settings)) check(name, project.targets[name], written, NOW);
});

/** What is set, and the setting that the refusal has to name. */
const BAD: [string, Partial<Written>, Partial<Record<keyof Target, unknown>>?][] = [
  ["emails", { emails: ["not an address"] }],
  ["emails", { emails: ["a@b"] }],
  ["emails", { emails: ["a@-b.com"] }],
  ["emails", { emails: [] }],
  ["rawBucket", { rawBucket: "Raw" }],
  ["rawBucket", { rawBucket: "ra" }],
  ["rawBucket", { rawBucket: "raw.files" }],
  ["rawBucket", { rawBucket: "raw_files" }],
  ["rawBucket", { rawBucket: "-raw" }],
  ["rawBucket", { rawBucket: "xn--raw" }],
  ["rawBucket", { rawBucket: "raw-s3alias" }],
  ["rawBucket", { rawBucket: "r".repeat(64) }],
  ["sources", { sources: [] }],
  ["sources", { sources: ["/orders"] }],
  ["sources", { sources: ["orders/"] }],
  ["sources", { sources: ["2025/orders", "2026/orders"] }],
  ["sources", { sources: ["a b"] }],
  ["sources", { sources: ["lake", "lake/orders"] }],
  ["takeOver", { takeOver: ["bucket" as never] }],
  ["key", { key: "alias/mine" }],
  ["otherKeys", { otherKeys: ["1234"] }],
  ["crawl", { crawl: "events" }],
  ["crawl", { crawl: "events", sources: ["a/x", "b/y"] }],
  ["crawl", { crawl: "events", sources: ["a/x"], takeOver: ["rawBucket"] }],
  ["crawl", { crawl: "never" as never }],
  ["crawlSchedule", { crawlSchedule: "every 6 hours" }],
  ["dailySchedule", { dailySchedule: "cron(0 12 30 2 ? *)" }],
  ["dailySchedule", { dailySchedule: "cron(0 12 * * ? 2025)" }],
  ["tableThreshold", { tableThreshold: 3 }],
  ["csvClassifier", { csvClassifier: { delimiter: ";;", quote: '"' } }],
  ["csvClassifier", { csvClassifier: { delimiter: '"', quote: '"' } }],
  ["sweepMinutes", { sweepMinutes: 0 }],
  ["arrivals", { arrivals: "yes" }],
  ["arrivals", { arrivals: "on", takeOver: ["rawBucket"] }],
  ["code", { code: "jar" as never }],
  ["architecture", { architecture: "mips" as never }],
  ["memoryMb", { memoryMb: 64 }],
  ["timeoutSeconds", { timeoutSeconds: 901 }],
  ["reservedConcurrency", { reservedConcurrency: -1 }],
  ["logDays", { logDays: 42 }],
  ["bytesCutoff", { bytesCutoff: 9_999_999 }],
  ["resultDays", { resultDays: 1.5 }],
  ["oldVersionDays", { oldVersionDays: 0 }],
  ["accessLogBucket", { accessLogBucket: "LOGS" }],
  ["slowRunMinutes", { slowRunMinutes: 0 }],
  ["throttlesAnHour", { throttlesAnHour: 0 }],
  ["onDestroy", { onDestroy: "burn" as never }],
  ["memory", { memory: 512 } as never],
  ["account", {}, { account: undefined }],
  ["account", {}, { account: "12345" }],
  ["region", {}, { region: undefined }],
  ["region", {}, { region: "virginia" }],
  ["database", {}, { database: "My-Lake" }],
  ["crawler", {}, { crawler: undefined }],
  ["workgroup", {}, { workgroup: "primary" }],
  ["workgroup", {}, { workgroup: "a b" }],
  ["warehouse", {}, { warehouse: "s3://lake/tables" }],
  ["results", {}, { results: undefined }],
  ["state", {}, { state: "pbright-prod-state" }],
  ["warehouse", {}, { warehouse: "s3://pbright-prod-state/crawlguard/tables/" }],
  [
    "warehouse",
    { rawBucket: "lake", takeOver: ["rawBucket", "warehouse"] },
    { warehouse: "s3://lake/source_1/tables/" },
  ],
  ["results", {}, { results: "s3://Results/queries/" }],
  ["topic", {}, { topic: "alerts" }],
  ["topic", {}, { topic: "arn:aws:sns:eu-west-1:123456789012:alerts" }],
  ["topic", {}, { topic: "arn:aws:sns:us-east-1:999999999999:alerts" }],
];

for (const [setting, written, changed] of BAD) {
  test(`refused with its name: ${setting}, ${JSON.stringify({ ...written, ...changed }, (_, value) => value ?? null)}`, () => {
    const found = problems(written, changed);
    assert.ok(
      found.some((problem) => problem.includes(`prod.${setting}: `)),
      found.join("\n") || "nothing was refused",
    );
  });
}

test("two settings may not make the same bucket, but may share one taken over", () => {
  const shared = { rawBucket: "pbright-prod-state" };
  assert.equal(problems(shared).length, 2);
  assert.deepEqual(problems({ ...shared, takeOver: ["rawBucket", "state"] }), []);
});

test("names that exist may be of a kind that is not made here", () => {
  const written: Partial<Written> = { rawBucket: "our.lake", takeOver: ["rawBucket", "database"] };
  assert.deepEqual(problems(written, { database: "our-lake" }), []);
});

test("a topic elsewhere is fine if it is taken over", () => {
  assert.deepEqual(problems({ takeOver: ["topic"] }, { topic: "arn:aws:sns:us-east-1:999999999999:alerts" }), []);
});

test("all that is wrong is said at once", () => {
  const found = problems({ emails: ["x"], memoryMb: 1, dailySchedule: "cron()" }, { account: "1", region: undefined });
  assert.deepEqual(
    found.map((problem) => problem.split(": ")[0]),
    [
      "crawlguard.toml targets.prod.account",
      "crawlguard.toml targets.prod.region",
      "crawlguard.toml targets.prod.topic",
      "settings.ts prod.emails",
      "settings.ts prod.dailySchedule",
      "settings.ts prod.memoryMb",
    ],
  );
});

test("settings without a target are refused", () => {
  assert.throws(() => check("staging", undefined, prod, NOW), /crawlguard.toml has no \[targets.staging\]/);
});

const FIRES = [
  "cron(0 12 * * ? *)",
  "cron(0 */6 * * ? *)",
  "cron(15,45 8-17 ? * MON-FRI *)",
  "cron(0 0 L * ? *)",
  "cron(0 9 ? * 2#1 2026-2030)",
  "cron(0 9 31 JAN,MAR ? *)",
  "cron(0/5 * 1W * ? *)",
];
for (const expression of FIRES)
  test(`fires: ${expression}`, () => assert.equal(cronProblem(expression, 2026), undefined));

const NEVER: [string, RegExp][] = [
  ["cron(0 12 * * * *)", /one of day and weekday/],
  ["cron(0 12 ? * ? *)", /one of day and weekday/],
  ["cron(60 12 * * ? *)", /no minute/],
  ["cron(0 24 * * ? *)", /no hour/],
  ["cron(0 12 0 * ? *)", /no day of month/],
  ["cron(0 12 * 13 ? *)", /no month/],
  ["cron(0 12 ? * 8 *)", /no day of week/],
  ["cron(0 12 31 FEB,APR,JUN ? *)", /never fires/],
  ["cron(0 12 * * ? 2020-2025)", /never fires/],
  ["cron(5-1 12 * * ? *)", /no minute/],
  ["cron(*/0 12 * * ? *)", /no minute/],
  ["cron(0 12 * *)", /no `cron/],
  ["rate(1 day)", /no `cron/],
];
for (const [expression, says] of NEVER)
  test(`refused: ${expression}`, () => assert.match(cronProblem(expression, 2026) ?? "", says));
