import assert from "node:assert/strict";
import { test } from "node:test";
import { check } from "../lib/app.ts";
import { serviceRole } from "../lib/keys.ts";
import { type Answer, type Looked, preflight } from "../lib/preflight/index.ts";
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
    "cloudformation describe-stacks": failed("Stack with id crawlguard-pbright-prod does not exist"),
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

const KEY = "arn:aws:kms:us-east-1:123456789012:key/1234";
const inUse = (status: string, resources: object[] = []) => ({
  "cloudformation describe-stacks": fine({ Stacks: [{ StackStatus: status }] }),
  "cloudformation describe-stack-resources": fine({ StackResources: resources }),
  "lambda get-function-configuration": fine({ PackageType: "Zip" }),
});

const STUCK: [string, RegExp, Record<string, Answer>][] = [
  [
    "a first deployment that failed, and left something",
    /is ROLLBACK_COMPLETE; aws cloudformation delete-stack .*pbright-prod; then remove .*: pbright-prod-raw$/,
    inUse("ROLLBACK_COMPLETE", [
      { PhysicalResourceId: "pbright-prod-raw", ResourceStatus: "DELETE_SKIPPED" },
      { PhysicalResourceId: "pbright-raw", ResourceStatus: "DELETE_COMPLETE" },
    ]),
  ],
  ["a first deployment that failed", /delete-stack --stack-name crawlguard-pbright-prod$/, inUse("ROLLBACK_FAILED")],
  ["an upgrade that did not roll back", /continue-update-rollback/, inUse("UPDATE_ROLLBACK_FAILED")],
  ["a deployment under way", /wait until/, inUse("UPDATE_IN_PROGRESS")],
  [
    "a stack that may not be seen",
    /could not be looked at: AccessDenied/,
    { "cloudformation describe-stacks": failed("AccessDenied") },
  ],
  [
    "resources that may not be seen",
    /nobody says what it has made: AccessDenied/,
    { ...inUse("CREATE_COMPLETE"), "cloudformation describe-stack-resources": failed("AccessDenied") },
  ],
];
for (const [what, says, answers] of STUCK) {
  test(`${what} is told of, with what to do`, () => {
    const problems = found(answers);
    assert.equal(problems.length, 1, problems.join());
    assert.match(problems[0]!, /^stack crawlguard-pbright-prod: /);
    assert.match(problems[0]!, says);
  });
}

test("what a stack has left is not the stack's, once it was deleted and made again", () => {
  const resources = [{ PhysicalResourceId: "pbright-prod-raw", ResourceStatus: "DELETE_SKIPPED" }];
  const problems = found({
    ...inUse("CREATE_COMPLETE", resources),
    "s3api head-bucket --bucket pbright-prod-raw": fine({}),
  });
  assert.deepEqual(
    problems.map((problem) => problem.split(": ")[0]),
    ["settings.ts prod.rawBucket"],
  );
});

test("a change set that was never carried out is no obstacle", () =>
  assert.deepEqual(found(inUse("REVIEW_IN_PROGRESS")), []));

test("a zip that runs is not made an image", () => {
  const running = inUse("CREATE_COMPLETE", [{ PhysicalResourceId: "crawlguard-pbright-prod" }]);
  assert.deepEqual(found(running), []);
  assert.match(
    found(running, { code: "image" }).join(),
    /^settings.ts prod.code: "image", and the function that runs is of "zip"/,
  );
});

const enforced = workgroup({
  ...suits,
  EnforceWorkGroupConfiguration: true,
  ResultConfiguration: { OutputLocation: "s3://pbright-prod-results/queries/" },
});
const rule = (prefix: string | undefined, more: object = { Expiration: { Days: 7 } }) => ({
  ID: "old",
  Status: "Enabled",
  Filter: prefix === undefined ? {} : { Prefix: prefix },
  ...more,
});
const EXPIRES: [boolean, object[]][] = [
  [true, [rule(undefined)]],
  [true, [rule("queries/")]],
  [true, [rule("queries/tables/")]],
  [true, [rule(undefined, { Filter: { And: { Prefix: "queries/", Tags: [] } }, Expiration: { Date: "2026-01-01" } })]],
  [false, [rule("others/")]],
  [false, [rule("queries/", { Status: "Disabled" })]],
  [false, [rule("queries/", { Expiration: undefined, NoncurrentVersionExpiration: { NoncurrentDays: 1 } })]],
];
for (const [isHit, rules] of EXPIRES) {
  test(`rules of the results' bucket ${isHit ? "may not" : "may"} be so where builds go there: ${JSON.stringify(rules)}`, () => {
    const { problems, notes } = looked(
      {
        "athena get-work-group": enforced,
        "s3api head-bucket --bucket pbright-prod-results": fine({}),
        "s3api get-bucket-lifecycle-configuration": fine({ Rules: rules }),
      },
      { takeOver: ["workgroup", "results"] },
    );
    assert.equal(problems.filter((problem) => /targets.prod.results: .*"old"/.test(problem)).length, isHit ? 1 : 0);
    assert.deepEqual(notes, []);
  });
}

test("days that results are kept are refused where builds go there", () => {
  const answers = { "athena get-work-group": enforced };
  assert.match(
    found(answers, { takeOver: ["workgroup"], resultDays: 7 }).join(),
    /^settings.ts prod.resultDays: 7, and/,
  );
  assert.deepEqual(looked(answers, { takeOver: ["workgroup"] }), { problems: [], notes: [] });
});

const statement = (principal: object | string, action: string | string[] = "kms:*") => ({
  Effect: "Allow",
  Principal: principal,
  Action: action,
});
const ROOT = statement({ AWS: "arn:aws:iam::123456789012:root" });
const CLOUDWATCH = statement({ Service: "cloudwatch.amazonaws.com" });
const VIA = { StringEquals: { "kms:ViaService": "s3.us-east-1.amazonaws.com" } };
const of = (account: string) => ({ StringEquals: { "aws:SourceAccount": account } });
const LAKE_FORMATION = {
  ...statement({ AWS: "*" }),
  Condition: { ArnEquals: { "aws:PrincipalArn": serviceRole("123456789012", "aws") } },
};
const POLICIES: [RegExp, RegExp, object[], Partial<Written>?][] = [
  [/^$/, /^$/, [ROOT, statement({ Service: ["cloudwatch.amazonaws.com"] }, ["kms:Decrypt", "kms:GenerateDataKey*"])]],
  [/^$/, /^$/, [ROOT, statement("*")]],
  [/^settings.ts prod.key: .*: cloudwatch.amazonaws.com;/, /^$/, [ROOT]],
  [/: cloudwatch.amazonaws.com;/, /^$/, [ROOT, { ...statement({ AWS: "*" }), Condition: VIA }]],
  [/: cloudwatch.amazonaws.com;/, /^$/, [ROOT, { ...CLOUDWATCH, Condition: of("999999999999") }]],
  [/^$/, /^$/, [ROOT, { ...CLOUDWATCH, Condition: of("123456789012") }]],
  [/^$/, /denies something/, [ROOT, CLOUDWATCH, { ...statement("*"), Effect: "Deny" }]],
  [/: cloudwatch.amazonaws.com;/, /^$/, [ROOT, statement({ Service: "cloudwatch.amazonaws.com" }, "kms:Decrypt")]],
  [/: s3.amazonaws.com;/, /^$/, [ROOT, statement({ Service: "cloudwatch.amazonaws.com" })], { arrivals: "on" }],
  [/: cloudwatch.amazonaws.com;/, /^$/, [ROOT, LAKE_FORMATION]],
  [/^$/, /^$/, [ROOT, LAKE_FORMATION], { lakeFormation: true, takeOver: ["topic"] }],
  [/AWSServiceRoleForLakeFormationDataAccess;/, /^$/, [ROOT], { lakeFormation: true, takeOver: ["topic"] }],
  [/^$/, /leave 123456789012's roles to IAM/, [statement({ Service: "cloudwatch.amazonaws.com" })]],
];
for (const [problem, note, Statement, written] of POLICIES) {
  test(`a key's policy, ${JSON.stringify({ Statement, ...written })}`, () => {
    const answers = {
      "kms get-key-policy": fine({ Policy: JSON.stringify({ Statement }) }),
      "sns get-topic-attributes": written?.takeOver ? fine({}) : absent,
    };
    const { problems, notes } = looked(answers, { key: KEY, ...written });
    assert.match(problems.join(), problem);
    assert.match(notes.join(), note);
  });
}

test("a key that is going to be deleted is refused", () => {
  const answers = {
    "kms get-key-policy": fine({ Policy: JSON.stringify({ Statement: [ROOT, CLOUDWATCH] }) }),
    "kms describe-key": fine({ KeyMetadata: { KeyState: "PendingDeletion" } }),
  };
  assert.match(found(answers, { key: KEY }).join(), /^settings.ts prod.key: it is PendingDeletion/);
});

test("a key whose policy may not be read is said, not passed", () => {
  const { problems, notes } = looked({ "kms get-key-policy": failed("AccessDenied") }, { key: KEY });
  assert.deepEqual(problems, []);
  assert.match(notes.join(), /whether key's policy suits: AccessDenied/);
});

test("what the stack itself has made is no obstacle to the next deployment", () => {
  const own = ["pbright-prod-raw", "pbright", "crawlguard-pbright-prod"];
  const resources = own.map((PhysicalResourceId) => ({ PhysicalResourceId }));
  const answers = {
    ...inUse("UPDATE_COMPLETE", resources),
    "s3api head-bucket --bucket pbright-prod-raw": fine({}),
    "glue get-database": fine({}),
    "athena get-work-group": workgroup({}),
    "lambda get-account-settings": fine({ AccountLimit: { UnreservedConcurrentExecutions: 100 } }),
  };
  assert.deepEqual(found(answers), []);
});

test("a crawler of the stack's own is not changed while it crawls", () => {
  const resources = ["crawlguard-pbright-prod", "pbright-raw"].map((PhysicalResourceId) => ({ PhysicalResourceId }));
  const answers = {
    ...inUse("UPDATE_COMPLETE", resources),
    "glue get-crawler": fine({ Crawler: { State: "RUNNING" } }),
  };
  assert.match(found(answers).join(), /crawler: "[^"]*" is RUNNING.*wait until it is READY/);
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
    const { problems, notes } = looked(answers, { takeOver: ["workgroup"] });
    assert.deepEqual(problems, []);
    // Whoever enforces keeps published tables among the results.
    const piles = notes.filter((note) => /nothing removes query results/.test(note));
    assert.equal(piles.length, configuration === enforced ? 0 : 1);
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
