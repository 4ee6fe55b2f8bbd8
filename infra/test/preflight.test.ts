import assert from "node:assert/strict";
import { test } from "node:test";
import { check } from "../lib/app.ts";
import { type Answer, type Looked, preflight } from "../lib/preflight.ts";
import type { Written } from "../lib/settings.ts";
import { NOW, prod, project } from "./helpers.ts";

const fine = (answer: unknown): Answer => ({ status: 0, stdout: JSON.stringify(answer), stderr: "" });
const failed = (stderr: string): Answer => ({ status: 255, stdout: "", stderr });
const absent = failed("An error occurred (404) when calling the HeadBucket operation: Not Found");
const forbidden = failed("An error occurred (403) when calling the HeadBucket operation: Forbidden");

/** An empty account, but for these answers, by the command's words that begin them. */
function looked(answers: Record<string, Answer>, written: Partial<Written> = {}): Looked {
  const account: Record<string, Answer> = {
    "sts get-caller-identity": fine({ Account: "123456789012" }),
    "lambda get-account-settings": fine({ AccountLimit: { UnreservedConcurrentExecutions: 1000 } }),
    ...answers,
  };
  const [is] = check(project, { prod: { ...prod, ...written } }, NOW);
  return preflight(is!, { ...prod, ...written }, (args) => {
    const command = args.join(" ");
    return Object.entries(account).find(([begin]) => command.startsWith(begin))?.[1] ?? absent;
  });
}

const found = (...given: Parameters<typeof looked>): string[] => looked(...given).problems;

const workgroup = (configuration: object) => fine({ WorkGroup: { Configuration: configuration } });
const suits = { BytesScannedCutoffPerQuery: 100_000_000_000 };

test("an empty account takes all", () => assert.deepEqual(found({}), []));

const REFUSED: [string, RegExp, Record<string, Answer>, Partial<Written>?][] = [
  [
    "crawlguard.toml targets.prod.account",
    /of 999999999999/,
    { "sts get-caller-identity": fine({ Account: "999999999999" }) },
  ],
  [
    "crawlguard.toml targets.prod.account",
    /Unable to locate/,
    { "sts get-caller-identity": failed("Unable to locate credentials") },
  ],
  ["settings.ts prod.rawBucket", /exists already/, { "s3api head-bucket --bucket pbright-prod-raw": fine({}) }],
  ["settings.ts prod.rawBucket", /somebody else's/, { "s3api head-bucket --bucket pbright-prod-raw": forbidden }],
  ["settings.ts prod.rawBucket", /is not there/, {}, { takeOver: ["rawBucket"] }],
  [
    "crawlguard.toml targets.prod.state",
    /exists already/,
    { "s3api head-bucket --bucket pbright-prod-state": fine({}) },
  ],
  ["crawlguard.toml targets.prod.database", /exists already/, { "glue get-database": fine({}) }],
  ["crawlguard.toml targets.prod.crawler", /could not be looked at: slow/, { "glue get-crawler": failed("slow") }],
  ["crawlguard.toml targets.prod.workgroup", /exists already/, { "athena get-work-group": workgroup(suits) }],
  [
    "settings.ts prod.bytesCutoff",
    /is not set; set it there, or leave bytesCutoff out/,
    { "athena get-work-group": workgroup({}) },
    { takeOver: ["workgroup"], bytesCutoff: 10_000_000 },
  ],
  [
    "settings.ts prod.bytesCutoff",
    /is 10000000; write bytesCutoff: 10000000, or mend it there/,
    { "athena get-work-group": workgroup({ BytesScannedCutoffPerQuery: 10_000_000 }) },
    { takeOver: ["workgroup"] },
  ],
  [
    "crawlguard.toml targets.prod.results",
    /"pbright" enforces "s3:\/\/others\/"; write that/,
    {
      "athena get-work-group": workgroup({
        ...suits,
        EnforceWorkGroupConfiguration: true,
        ResultConfiguration: { OutputLocation: "s3://others/" },
      }),
    },
    { takeOver: ["workgroup"] },
  ],
  [
    "crawlguard.toml targets.prod.workgroup",
    /is disabled/,
    { "athena get-work-group": fine({ WorkGroup: { State: "DISABLED", Configuration: suits } }) },
    { takeOver: ["workgroup"] },
  ],
  [
    "settings.ts prod.takeOver",
    /version 2/,
    {
      "athena get-work-group": workgroup({
        ...suits,
        EngineVersion: { EffectiveEngineVersion: "Athena engine version 2" },
      }),
    },
    { takeOver: ["workgroup"] },
  ],
  ["crawlguard.toml targets.prod.topic", /exists already/, { "sns get-topic-attributes": fine({}) }],
  [
    "settings.ts prod.reservedConcurrency",
    /room for 0/,
    { "lambda get-account-settings": fine({ AccountLimit: { UnreservedConcurrentExecutions: 10 } }) },
  ],
];
for (const [setting, says, answers, written] of REFUSED) {
  test(`the account refuses ${setting}: ${says.source}`, () => {
    const problems = found(answers, written);
    assert.deepEqual(
      problems.map((problem) => problem.split(": ")[0]),
      [setting],
    );
    assert.match(problems[0]!, says);
  });
}

test("what the stack itself has made is no obstacle to the next deployment", () => {
  const own = ["pbright-prod-raw", "pbright", "crawlguard-pbright-prod"];
  const resources = own.map((PhysicalResourceId) => ({ PhysicalResourceId }));
  const answers = {
    "cloudformation describe-stack-resources": fine({ StackResources: resources }),
    "s3api head-bucket --bucket pbright-prod-raw": fine({}),
    "glue get-database": fine({}),
    "athena get-work-group": workgroup({}),
    "lambda get-account-settings": fine({ AccountLimit: { UnreservedConcurrentExecutions: 100 } }),
  };
  assert.deepEqual(found(answers), []);
});

test("a workgroup taken over that suits is fine, and what may be made beside it", () => {
  const enforced = {
    ...suits,
    EnforceWorkGroupConfiguration: true,
    ResultConfiguration: { OutputLocation: "s3://pbright-prod-results/queries" },
  };
  const elsewhere = { ...suits, ResultConfiguration: { OutputLocation: "s3://others/" } };
  for (const configuration of [suits, enforced, elsewhere]) {
    const answers = { "athena get-work-group": workgroup(configuration) };
    assert.deepEqual(looked(answers, { takeOver: ["workgroup"] }), { problems: [], notes: [] });
  }
});

test("a workgroup taken over without a cut-off is taken as it is, and that is said", () => {
  const { problems, notes } = looked({ "athena get-work-group": workgroup({}) }, { takeOver: ["workgroup"] });
  assert.deepEqual(problems, []);
  assert.match(notes.join(), /"pbright" has no cut-off of its own/);
});

test("concurrency that may not be looked at is said, not passed", () => {
  const denied = failed("AccessDenied: lambda:GetAccountSettings");
  const { problems, notes } = looked({ "lambda get-account-settings": denied });
  assert.deepEqual(problems, []);
  assert.match(notes.join(), /room for reservedConcurrency: AccessDenied/);
});
