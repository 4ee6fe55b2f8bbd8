import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { addStacks } from "../lib/app.ts";
import { cronProblem } from "../lib/cron.ts";
import { type Target, TARGET_DEFAULTS } from "../lib/project.ts";
import { defaults, type Written } from "../lib/settings.ts";
import { check, SettingsError } from "../lib/check/index.ts";
import { settings } from "../settings.ts";
import { NOW, prod, project, repository, scratchApp, synth } from "./helpers.ts";

const target = project.targets.prod!;

/** All names of prod's target, other ones. */
const OTHER_NAMES: Partial<Target> = {
  database: "other",
  crawler: "other-raw",
  workgroup: "other",
  warehouse: "s3://other-warehouse/tables/",
  state: "s3://other-state/crawlguard/",
  results: "s3://other-results/queries/",
  topic: "arn:aws:sns:us-east-1:123456789012:other-alerts",
};
const ELSEWHERE = "arn:aws:sns:eu-west-1:123456789012:other-alerts";

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
  for (const [name, written] of Object.entries(settings)) {
    const target = repository.targets[name];
    assert.equal(target?.raw, `s3://${written.rawBucket}/`);
    check(name, target, written, NOW);
  }
});

/** What is set, and the setting that the refusal has to name. */
const BAD: [string, Partial<Written>, Partial<Record<keyof Target, unknown>>?][] = [
  ["emails", { emails: ["not an address"] }],
  ["emails", { emails: ["a@b"] }],
  ["emails", { emails: ["a@-b.com"] }],
  ["emails", { emails: [] }],
  ["emails", { emails: ["a..b@example.com"] }],
  ["emails", { emails: ["Ann <ann@example.com>"] }],
  ["emails", { emails: ["ann@example.com", "ann@example.com"] }],
  ["emails", { emails: "ann@example.com" as never }],
  ["emails", { emails: undefined as never }],
  ["rawBucket", { rawBucket: "Raw" }],
  ["rawBucket", { rawBucket: "ra" }],
  ["rawBucket", { rawBucket: "raw.files" }],
  ["rawBucket", { rawBucket: "raw_files" }],
  ["rawBucket", { rawBucket: "-raw" }],
  ["rawBucket", { rawBucket: "xn--raw" }],
  ["rawBucket", { rawBucket: "raw-" }],
  ["rawBucket", { rawBucket: "our..lake", takeOver: ["rawBucket"] }],
  ["rawBucket", { rawBucket: "our.-lake", takeOver: ["rawBucket"] }],
  ["rawBucket", { rawBucket: "192.168.5.4", takeOver: ["rawBucket"] }],
  ["rawBucket", { rawBucket: "our.mrap", takeOver: ["rawBucket"] }],
  ["rawBucket", { rawBucket: "raw-s3alias" }],
  ["rawBucket", { rawBucket: "raw-123456789012-us-east-1-an" }],
  ["rawBucket", { rawBucket: "r".repeat(64) }],
  ["sources", { sources: [] }],
  ["sources", { sources: "orders" as never }],
  ["sources", { sources: ["orders", "orders"] }],
  ["sources", { sources: ["/orders"] }],
  ["sources", { sources: ["orders/"] }],
  ["sources", { sources: ["2025/orders", "2026/orders"] }],
  ["sources", { sources: ["a b"] }],
  ["sources", { sources: ["lake", "lake/orders"] }],
  ["sources", { sources: ["a*"] }],
  ["sources", { sources: [".."] }],
  ["sources", { sources: ["lake/_orders"] }],
  ["takeOver", { takeOver: ["bucket" as never] }],
  ["takeOver", { takeOver: ["state", "state"] }],
  ["key", { key: "alias/mine" }],
  ["key", { key: "arn:aws:kms:eu-west-1:123456789012:key/1234" }],
  ["otherKeys", { otherKeys: ["1234"] }],
  ["otherKeys", { otherKeys: ["arn:aws:kms:eu-west-1:123456789012:key/1234"] }],
  ["catalogKey", { catalogKey: "alias/aws/glue" }],
  ["catalogKey", { catalogKey: "arn:aws:kms:eu-west-1:123456789012:key/1234" }],
  ["catalogKey", { catalogKey: 5 as never }],
  ["crawl", { crawl: "events" }],
  ["crawl", { crawl: "events", sources: ["a/x", "b/y"] }],
  ["crawl", { crawl: "never" as never }],
  ["crawlSchedule", { crawlSchedule: "every 6 hours" }],
  ["crawlSchedule", { crawlSchedule: "cron(0 9 ? * 2#1 *)" }],
  ["crawlSchedule", { crawlSchedule: "cron(0/4 12 * * ? *)" }],
  ["crawlSchedule", { crawlSchedule: "cron(0,58 * * * ? *)" }],
  ["crawlSchedule", { crawlSchedule: "cron(0,57 0,23 * * ? *)" }],
  ["dailySchedule", { dailySchedule: "cron(0 12 30 2 ? *)" }],
  ["dailySchedule", { dailySchedule: "cron(0 12 * * ? 2025)" }],
  ["tableThreshold", { tableThreshold: 3 }],
  ["csvClassifier", { csvClassifier: { delimiter: ";;", quote: '"' } }],
  ["csvClassifier", { csvClassifier: { delimiter: '"', quote: '"' } }],
  ["csvClassifier", { csvClassifier: { delimiter: "," } as never }],
  ["csvClassifier", { csvClassifier: { delimiter: ",", quote: "\n" } }],
  ["sweepMinutes", { sweepMinutes: 0 }],
  ["sweepMinutes", { sweepMinutes: 61 }],
  ["noRunHours", { noRunHours: 169 }],
  ["arrivals", { arrivals: "yes" }],
  ["arrivals", { arrivals: "arn:aws:sns:eu-west-1:123456789012:arrivals" }],
  ["reservedConcurrency", { reservedConcurrency: 1, arrivals: "on" }],
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
  ["accessLogBucket", { accessLogBucket: "pbright-prod-state" }],
  ["accessLogBucket", { accessLogBucket: 5 as never }],
  ["docsUrl", { docsUrl: "docs/" }],
  ["docsUrl", { docsUrl: "https://git.example.com/docs" }],
  ["lakeFormation", { lakeFormation: "false" as never }],
  ["memoryMb", { memoryMb: "512" as never }],
  ["slowRunMinutes", { slowRunMinutes: 0 }],
  ["throttlesAnHour", { throttlesAnHour: 0 }],
  ["onDestroy", { onDestroy: "burn" as never }],
  ["memory", { memory: 512 } as never],
  ["account", {}, { account: undefined }],
  ["account", {}, { account: "12345" }],
  ["region", {}, { region: undefined }],
  ["region", {}, { region: "virginia" }],
  ["region", {}, { region: "us-moon-1", topic: "arn:aws:sns:us-moon-1:123456789012:alerts" }],
  ["raw_prefix", {}, { raw_prefix: "" }],
  ["raw_prefix", {}, { raw_prefix: "Raw_" }],
  ["raw_prefix", {}, { raw_prefix: "*" }],
  ["raw_prefix", {}, { raw_prefix: "1_" }],
  ["raw_prefix", {}, { raw_prefix: 5 }],
  ["database", {}, { database: 5 }],
  ["account", {}, { account: 123456789012 }],
  ["warehouse", {}, { warehouse: "s3://pbright-an/tables/" }],
  ["warehouse", {}, { warehouse: 5 }],
  ["raw", {}, { raw: "s3://pbright-dev-raw/" }],
  ["raw", {}, { raw: "pbright-prod-raw/" }],
  ["raw", { sources: ["landing/orders", "orders"] }, { raw: "s3://pbright-prod-raw/landing/" }],
  ["crawler", {}, { crawler: "c".repeat(256) }],
  ["topic", { takeOver: ["topic"] }, { topic: "arn:aws:sns:eu-west-1:123456789012:alerts" }],
  ["region", {}, { region: "" }],
  ["account", {}, { account: "" }],
  ["database", {}, { database: "My-Lake" }],
  ["crawler", {}, { crawler: undefined }],
  ["workgroup", {}, { workgroup: "primary" }],
  ["workgroup", {}, { workgroup: "a b" }],
  ["warehouse", {}, { warehouse: "s3://lake/tables" }],
  ["warehouse", {}, { warehouse: "s3://lake/*/" }],
  ["results", {}, { results: "s3://lake/${aws:username}/" }],
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

test("raw may be any folder above the sources", () => {
  const written = { sources: ["landing/orders", "landing/users"] };
  for (const raw of ["s3://pbright-prod-raw/", "s3://pbright-prod-raw/landing/", "s3://pbright-prod-raw/landing"])
    assert.deepEqual(problems(written, { raw }), []);
});

test("a target set up again takes over the raw bucket, and goes on starting on files", () => {
  assert.deepEqual(problems({ arrivals: "on", takeOver: ["rawBucket"] }), []);
  assert.deepEqual(problems({ crawl: "events", sources: ["a/x"], takeOver: ["rawBucket"] }), []);
});

test("what is crawled by events is one folder, and nothing that is written may lie in it", () => {
  const written: Partial<Written> = { rawBucket: "lake", sources: ["raw/a"], takeOver: ["rawBucket", "warehouse"] };
  const changed = { warehouse: "s3://lake/raw/built/" };
  assert.deepEqual(problems(written, changed), []);
  assert.match(problems({ ...written, crawl: "events" }, changed).join(), /prod\.warehouse: .* lie in each other/);
});

test("two settings may not make the same bucket, but may share one taken over", () => {
  const shared = { rawBucket: "pbright-prod-state" };
  assert.equal(problems(shared).length, 2);
  assert.deepEqual(problems({ ...shared, takeOver: ["rawBucket", "state"] }), []);
});

test("names that exist may be of a kind that is not made here", () => {
  const written: Partial<Written> = { rawBucket: "our.lake", takeOver: ["rawBucket", "warehouse", "database"] };
  assert.deepEqual(problems(written, { database: "our-lake", warehouse: "s3://our-lake-an/tables/" }), []);
});

test("two invocations at once are enough for arrivals, and none reserved is fine; so are crawls five minutes apart", () => {
  for (const reservedConcurrency of [0, 2]) assert.deepEqual(problems({ reservedConcurrency, arrivals: "on" }), []);
  for (const crawlSchedule of ["cron(0/5 * * * ? *)", "cron(3,58 * * * ? *)", "cron(0,57 1,3 * * ? *)"])
    assert.deepEqual(problems({ crawlSchedule }), []);
});

test("results of a workgroup taken over stay, unless it is said how long", () => {
  const days = (written: Partial<Written>) => check("prod", target, { ...prod, ...written }, NOW).settings.resultDays;
  assert.deepEqual(
    [
      days({}),
      days({ takeOver: ["workgroup"] }),
      days({ takeOver: ["workgroup"], resultDays: 3 }),
      days({ resultDays: null }),
    ],
    [7, null, 3, null],
  );
});

test("a topic of another account is fine if it is taken over", () => {
  assert.deepEqual(problems({ takeOver: ["topic"] }, { topic: "arn:aws:sns:us-east-1:999999999999:alerts" }), []);
});

test("all that is wrong is said at once", () => {
  const found = problems({ emails: ["x"], memoryMb: 1, dailySchedule: "cron()" }, { account: "1", region: undefined });
  assert.deepEqual(
    found.map((problem) => problem.split(": ")[0]),
    [
      "crawlguard.toml targets.prod.account",
      "crawlguard.toml targets.prod.region",
      "settings.ts prod.emails",
      "settings.ts prod.dailySchedule",
      "settings.ts prod.memoryMb",
    ],
  );
});

test("a setting that is not there, or of another type, hides nothing else that is wrong", () => {
  const written = {
    emails: "x",
    sources: 3,
    crawl: "events",
    memoryMb: 1,
    dailySchedule: "cron()",
    BytesCutoff: 5,
    memory: 1,
  };
  assert.deepEqual(problems(written as never, { account: "1", results: "s3://Results/queries/" }), [
    'crawlguard.toml targets.prod.account: "1"; write the twelve digits, in quotes',
    "crawlguard.toml targets.prod.topic: its account is not the target's; a topic there has to be taken over",
    'crawlguard.toml targets.prod.results: "Results"; a bucket\'s name has lower-case letters, digits and -, and begins and ends with a letter or digit',
    "settings.ts prod.BytesCutoff: there is no such setting; it is written `bytesCutoff`",
    "settings.ts prod.memory: there is no such setting",
    'settings.ts prod.emails: "x"; write it as ["data@example.com"]',
    'settings.ts prod.sources: 3; write it as ["orders"]',
    'settings.ts prod.dailySchedule: "cron()"; it is no `cron(minute hour day month weekday year)`',
    "settings.ts prod.memoryMb: 1; a whole number from 128 to 10240",
  ]);
});

test("nothing is guessed of names while it cannot be read what is taken over", () => {
  const written = { takeOver: "workgroup" as never, memory: 1 };
  assert.deepEqual(
    places(() => check("prod", { ...target, workgroup: "primary" }, { ...prod, ...written }, NOW)),
    ["settings.ts prod.memory", "settings.ts prod.takeOver"],
  );
});

/** Two targets at once, and the settings that are refused; the second target is that of prod with these changes. */
const TWICE: [string[], Partial<Target>, Partial<Written>][] = [
  [[], OTHER_NAMES, { rawBucket: "other-raw" }],
  [["settings.ts other.rawBucket"], OTHER_NAMES, { rawBucket: "pbright-prod-raw" }],
  // A bucket's name is one of the whole world, whatever it is for.
  [
    ["settings.ts other.rawBucket"],
    { ...OTHER_NAMES, region: "eu-west-1", topic: ELSEWHERE },
    { rawBucket: "pbright-prod-state" },
  ],
  [["crawlguard.toml targets.other.workgroup"], { ...OTHER_NAMES, workgroup: "pbright" }, { rawBucket: "other-raw" }],
  [[], { ...OTHER_NAMES, workgroup: "pbright" }, { rawBucket: "other-raw", takeOver: ["workgroup"] }],
  [[], { ...OTHER_NAMES, workgroup: "pbright", region: "eu-west-1", topic: ELSEWHERE }, { rawBucket: "other-raw" }],
  [["crawlguard.toml targets.other.crawler"], { ...OTHER_NAMES, crawler: "pbright-raw" }, { rawBucket: "other-raw" }],
  [["crawlguard.toml targets.other.database"], { ...OTHER_NAMES, database: "pbright" }, { rawBucket: "other-raw" }],
  [["crawlguard.toml targets.other.topic"], { ...OTHER_NAMES, topic: target.topic }, { rawBucket: "other-raw" }],
  [
    ["crawlguard.toml targets.other.state"],
    { ...OTHER_NAMES, state: target.state },
    { rawBucket: "other-raw", takeOver: ["state"] },
  ],
];

for (const [expected, changed, written] of TWICE) {
  test(`two targets: ${expected.join() || "fine"}, ${JSON.stringify({ ...written, ...changed })}`, () => {
    const targets = { prod: target, other: { ...target, ...changed } };
    const both = { prod, other: { ...prod, ...written } };
    assert.deepEqual(
      places(() => addStacks(scratchApp(), { ...project, targets }, both, NOW)),
      expected,
    );
  });
}

/** Topics of one target, and the settings that are refused. */
const TOPICS: [string[], string, Partial<Written>][] = [
  [["crawlguard.toml targets.prod.topic"], "crawlguard-pbright-prod-arrivals", { arrivals: "on" }],
  [
    ["crawlguard.toml targets.prod.topic"],
    "crawlguard-pbright-prod-arrivals",
    { crawl: "events", sources: ["lake/orders"], takeOver: ["topic"] },
  ],
  [["settings.ts prod.arrivals"], "lake", { arrivals: "arn:aws:sns:us-east-1:123456789012:lake" }],
  [[], "crawlguard-pbright-prod-arrivals", {}],
  [[], "crawlguard-pbright-prod-arrivals", { arrivals: "arn:aws:sns:us-east-1:123456789012:lake" }],
];
for (const [expected, name, written] of TOPICS) {
  test(`alerts to the topic ${name}: ${expected.join() || "fine"}, ${JSON.stringify(written)}`, () => {
    const targets = { prod: { ...target, topic: `arn:aws:sns:us-east-1:123456789012:${name}` } };
    assert.deepEqual(
      places(() => addStacks(scratchApp(), { ...project, targets }, { prod: { ...prod, ...written } }, NOW)),
      expected,
    );
  });
}

test("more addresses or folders than a stack has room for are refused by name", () => {
  const emails = Array.from({ length: 500 }, (_, index) => `a${index}@example.com`);
  assert.deepEqual(
    places(() => synth({ ...prod, emails })),
    ["settings.ts prod.emails"],
  );
  const sources = Array.from({ length: 230 }, (_, index) => `s${index}`);
  assert.deepEqual(
    places(() => synth({ ...prod, sources, tableThreshold: 230, lakeFormation: true })),
    ["settings.ts prod.sources"],
  );
});

test("a project whose names would be too long is refused by name", () => {
  const long = { ...project, name: "a-rather-long-name-of-a-project-that-nobody-types" };
  assert.deepEqual(
    places(() => addStacks(scratchApp(), long, { prod }, NOW)),
    ["crawlguard.toml project"],
  );
});

/** Where the problems are that a call throws. */
function places(call: () => unknown): string[] {
  try {
    call();
    return [];
  } catch (error) {
    assert.ok(error instanceof SettingsError, String(error));
    return error.problems.map((problem) => problem.split(": ")[0]!);
  }
}

test("what infra/ reads of crawlguard.toml is what src/config.rs has, with its defaults", () => {
  const rust = readFileSync(join(project.root, "src/config.rs"), "utf8");
  const fields = [.../pub struct Aws \{([\s\S]*?)\n\}/.exec(rust)![1]!.matchAll(/pub (\w+):/g)].map(([, name]) => name);
  const read = readFileSync(join(project.root, "infra/lib/project.ts"), "utf8");
  const names = [.../interface Target \{([\s\S]*?)\n\}/.exec(read)![1]!.matchAll(/^  (\w+)\??:/gm)].map(
    ([, name]) => name,
  );
  assert.ok(names.length > 8);
  assert.deepEqual(
    names.filter((name) => !fields.includes(name)),
    [],
  );
  const defaultOf = (name: string) => new RegExp(`fn default_${name}\\(\\)[^{]*\\{\\s*"([^"]*)"`).exec(rust)![1];
  assert.deepEqual(TARGET_DEFAULTS, { raw_prefix: defaultOf("prefix"), workgroup: defaultOf("workgroup") });
  assert.deepEqual(["contracts", "sql", "alerts"].map(defaultOf), ["contracts", "sql", "alerts"]);
});

test("no name of crawlguard.toml is a setting of settings.ts too", () => {
  const both = Object.keys(TARGET_DEFAULTS)
    .concat(Object.keys(target))
    .filter((name) => name in defaults);
  assert.deepEqual(both, []);
});

test("settings without a target are refused", () => {
  assert.throws(() => check("staging", undefined, prod, NOW), /crawlguard.toml has no \[targets.staging\]/);
  assert.deepEqual(
    places(() => check("staging", undefined, { ...prod, memoryMb: 1 }, NOW)),
    ["settings.ts staging", "settings.ts staging.memoryMb"],
  );
});

const FIRES = [
  "cron(0 12 * * ? *)",
  "cron(0 */6 * * ? *)",
  "cron(15,45 8-17 ? * MON-FRI *)",
  "cron(0 0 L * ? *)",
  "cron(0 9 ? * 2#1 2026-2030)",
  "cron(0 9 31 JAN,MAR ? *)",
  "cron(0/5 * 1W * ? *)",
  "cron(0 12 29 FEB ? *)",
  "cron(0 12 29 FEB ? 2028)",
  "cron(0 12 ? FEB 1#5 *)",
  // Later than now, of the same day.
  "cron(5 3 2 1 ? 2026)",
  "cron(0 4 2 1 ? 2026)",
];
for (const expression of FIRES)
  test(`fires: ${expression}`, () => assert.equal(cronProblem(expression, NOW), undefined));

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
  ["cron(0 12 29 FEB ? 2026-2027)", /never fires/],
  ["cron(0 12 30W FEB ? *)", /never fires/],
  ["cron(0 12 32W * ? *)", /no day of month/],
  ["cron(0 12 ? FEB 1#5 2026-2028)", /never fires/],
  ["cron(4 3 2 1 ? 2026)", /never fires/],
  ["cron(0 12 1 1 ? 2026)", /never fires/],
  ["cron(5-1 12 * * ? *)", /no minute/],
  ["cron(*/0 12 * * ? *)", /no minute/],
  ["cron(0 12 * *)", /no `cron/],
  ["rate(1 day)", /no `cron/],
];
for (const [expression, says] of NEVER)
  test(`refused: ${expression}`, () => assert.match(cronProblem(expression, NOW) ?? "", says));
