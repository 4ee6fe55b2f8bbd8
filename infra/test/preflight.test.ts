import assert from "node:assert/strict";
import { test } from "node:test";
import type { Answer } from "../lib/preflight/index.ts";
import { MADE } from "../lib/preflight/stack.ts";
import type { Written } from "../lib/settings.ts";
import { failed, fine, forbidden, found, looked, suits, workgroup } from "./account.ts";

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

const inUse = (status: string, resources: object[] = []) => ({
  "cloudformation describe-stacks": fine({ Stacks: [{ StackStatus: status }] }),
  "cloudformation list-stack-resources": fine({ StackResourceSummaries: resources }),
  "lambda get-function-configuration": fine({ PackageType: "Zip" }),
});

/** A resource of the stack, by the setting that it is made of. */
const made = (
  setting: keyof typeof MADE,
  PhysicalResourceId: string,
  ResourceStatus = "CREATE_COMPLETE",
  more = {},
) => ({
  LogicalResourceId: `${MADE[setting]}0123ABCD`,
  PhysicalResourceId,
  ResourceStatus,
  ...more,
});
const FULL = { ResourceStatusReason: "The bucket you tried to delete is not empty" };
const DELETE = "aws cloudformation delete-stack --stack-name crawlguard-pbright-prod --region us-east-1";
const WAIT = "aws cloudformation wait stack-delete-complete --stack-name crawlguard-pbright-prod --region us-east-1";
const AGAIN = "; then run preflight again, and of what is still there";

const STUCK: [string, RegExp | string, Record<string, Answer>][] = [
  [
    "a first deployment that failed, and kept something",
    `it is ROLLBACK_COMPLETE; left of it: "pbright-prod-raw" (rawBucket, DELETE_SKIPPED); ${DELETE} && ${WAIT}${AGAIN} write takeOver: ["rawBucket"], or remove what you do not want as docs/deploy.md, Removing, has it`,
    inUse("ROLLBACK_COMPLETE", [
      made("rawBucket", "pbright-prod-raw", "DELETE_SKIPPED"),
      made("crawler", "pbright-raw", "DELETE_COMPLETE"),
    ]),
  ],
  [
    "a first deployment that failed, and could not take back a bucket",
    `it is ROLLBACK_FAILED; left of it: "pbright-prod-raw" (rawBucket, DELETE_FAILED: ${FULL.ResourceStatusReason}), "1234-key" (key, CREATE_COMPLETE); ${DELETE} && ${WAIT}${AGAIN} write takeOver: ["rawBucket"], or write the ARN of "1234-key" as key, or remove what you do not want as docs/deploy.md, Removing, has it`,
    inUse("ROLLBACK_FAILED", [
      made("rawBucket", "pbright-prod-raw", "DELETE_FAILED", FULL),
      made("key", "1234-key"),
      made("function", "crawlguard-pbright-prod"),
      {
        LogicalResourceId: "AlertsTopicPolicyFF1F97BA",
        PhysicalResourceId: "policy",
        ResourceStatus: "DELETE_FAILED_NOT",
      },
    ]),
  ],
  [
    "a stack whose removal failed",
    `it is DELETE_FAILED; left of it: "pbright-prod-state" (state, DELETE_FAILED: ${FULL.ResourceStatusReason}); ${DELETE} --retain-resources BucketsState0123ABCD && ${WAIT}${AGAIN} write takeOver: ["state"], or remove what you do not want as docs/deploy.md, Removing, has it`,
    inUse("DELETE_FAILED", [made("state", "pbright-prod-state", "DELETE_FAILED", FULL)]),
  ],
  [
    "a stack whose removal failed, with the key of what stays",
    `it is DELETE_FAILED; left of it: "pbright-prod-state" (state, DELETE_FAILED: ${FULL.ResourceStatusReason}), "1234-key" (key, CREATE_COMPLETE); ${DELETE} --retain-resources BucketsState0123ABCD KeysKey0123ABCD && ${WAIT}${AGAIN} write takeOver: ["state"], or write the ARN of "1234-key" as key, or remove what you do not want as docs/deploy.md, Removing, has it`,
    inUse("DELETE_FAILED", [made("state", "pbright-prod-state", "DELETE_FAILED", FULL), made("key", "1234-key")]),
  ],
  [
    "a stack whose removal failed on what holds no data",
    new RegExp(`; ${DELETE} --retain-resources PipelineGuardFunction0123ABCD && `),
    inUse("DELETE_FAILED", [made("function", "guard", "DELETE_FAILED"), made("key", "1234-key")]),
  ],
  [
    "a stack whose removal failed, and whose key is kept anyway",
    new RegExp(`; ${DELETE} --retain-resources BucketsState0123ABCD && `),
    inUse("DELETE_FAILED", [made("state", "s", "DELETE_FAILED"), made("key", "1234-key", "DELETE_SKIPPED")]),
  ],
  [
    "a first deployment that failed, and left nothing",
    `it is ROLLBACK_COMPLETE; nothing is left of it; ${DELETE} && ${WAIT}`,
    inUse("ROLLBACK_COMPLETE", [made("rawBucket", "pbright-prod-raw", "DELETE_COMPLETE")]),
  ],
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
    { ...inUse("CREATE_COMPLETE"), "cloudformation list-stack-resources": failed("AccessDenied") },
  ],
];
for (const [what, says, answers] of STUCK) {
  test(`${what} is told of, with what to do`, () => {
    const problems = found(answers);
    assert.equal(problems.length, 1, problems.join());
    const prefix = "stack crawlguard-pbright-prod: ";
    assert.ok(problems[0]!.startsWith(prefix));
    if (typeof says === "string") assert.equal(problems[0], prefix + says);
    else assert.match(problems[0]!, says);
  });
}

test("what a stack has left is not the stack's, once it was deleted and made again", () => {
  const resources = [made("rawBucket", "pbright-prod-raw", "DELETE_SKIPPED")];
  const problems = found({
    ...inUse("CREATE_COMPLETE", resources),
    "s3api head-bucket --bucket pbright-prod-raw": fine({}),
  });
  assert.deepEqual(
    problems.map((problem) => problem.split(": ")[0]),
    ["settings.ts prod.rawBucket"],
  );
});

test("a change set that was never carried out is no obstacle, and is told of", () => {
  const { problems, notes } = looked(inUse("REVIEW_IN_PROGRESS"));
  assert.deepEqual(problems, []);
  assert.match(notes.join(), /is REVIEW_IN_PROGRESS: .*delete-stack --stack-name crawlguard-pbright-prod/);
});

const HOLDERS = ["rawBucket", "warehouse", "results", "state", "database"] as const;
for (const setting of HOLDERS) {
  test(`another name for ${setting} of a stack that runs is refused, before it begins empty`, () => {
    const problems = found(inUse("CREATE_COMPLETE", [made(setting, "before")]));
    assert.equal(problems.length, 1, problems.join());
    assert.match(problems[0]!, new RegExp(`prod\\.${setting}: "pbright.*", and the stack has "before"`));
    assert.match(problems[0]!, new RegExp(`leave all data behind; .*put ${setting} into takeOver`));
  });
}

const deployed = (DeletionPolicy: string | undefined, setting: keyof typeof MADE) => {
  const Resources = { [`${MADE[setting]}0123ABCD`]: { DeletionPolicy } };
  return { "cloudformation get-template": fine({ TemplateBody: { Resources } }) };
};
const DROPPED: [RegExp, string | undefined, keyof typeof MADE, Partial<Written>][] = [
  [/prod\.database: the stack has made "pbright", and deletes it/, "Delete", "database", { takeOver: ["database"] }],
  [/^$/, "RetainExceptOnCreate", "database", { takeOver: ["database"] }],
  [/prod\.database: .* deletes it/, undefined, "database", { takeOver: ["database"] }],
  [/prod\.key: .* deletes it .*; deploy once with onDestroy: "keep"/, "Delete", "key", { key: "none" }],
  [/^$/, undefined, "crawler", { takeOver: ["crawler"] }],
];
for (const [says, policy, setting, written] of DROPPED) {
  test(`${setting} of the stack's own, ${policy}, is taken out of it: ${says.source}`, () => {
    const name = { database: "pbright", crawler: "pbright-raw", key: "1234" }[setting as string]!;
    const account = {
      ...inUse("CREATE_COMPLETE", [made(setting, name)]),
      "glue get-database": fine({}),
      "glue get-crawler": fine({ Crawler: { State: "READY" } }),
      ...deployed(policy, setting),
    };
    const problems = found(account, written).filter((it) => !/exists already/.test(it));
    assert.match(problems.join(), says);
  });
}

test("a template that was deployed without CDK is read, and one that cannot be is not passed", () => {
  const account = { ...inUse("CREATE_COMPLETE", [made("database", "pbright")]), "glue get-database": fine({}) };
  const TemplateBody = "Resources:\n  CatalogDatabase0123ABCD:\n    DeletionPolicy: Delete\n";
  const of = (answer: Answer) =>
    found({ ...account, "cloudformation get-template": answer }, { takeOver: ["database"] });
  assert.match(of(fine({ TemplateBody })).join(), /deletes it/);
  assert.match(of(failed("AccessDenied")).join(), /nobody says whether the stack deletes "pbright" .*AccessDenied/);
});

test("a name of one kind is not taken for another's", () => {
  // The workgroup is somebody's, and the stack's own is the database of that name.
  const account = {
    ...inUse("CREATE_COMPLETE", [made("database", "pbright")]),
    "athena get-work-group": workgroup(suits),
  };
  assert.match(
    found({ ...account, "glue get-database": fine({}) }).join(),
    /prod\.workgroup: "pbright" exists already/,
  );
});

test("a zip that runs is not made an image", () => {
  const running = inUse("CREATE_COMPLETE", [made("function", "crawlguard-pbright-prod")]);
  assert.deepEqual(found(running), []);
  assert.match(
    found(running, { code: "image" }).join(),
    /^settings.ts prod.code: "image", and the function that runs is of "zip"/,
  );
});

test("what the stack itself has made is no obstacle to the next deployment", () => {
  const resources = [
    made("rawBucket", "pbright-prod-raw"),
    made("database", "pbright"),
    made("workgroup", "pbright"),
    made("function", "crawlguard-pbright-prod"),
  ];
  const answers = {
    ...inUse("UPDATE_COMPLETE", resources),
    "s3api head-bucket --bucket pbright-prod-raw": fine({}),
    "glue get-database": fine({}),
    "athena get-work-group": workgroup({}),
    // All but what is kept for others is the function's own.
    "lambda get-account-settings": fine({ AccountLimit: { UnreservedConcurrentExecutions: 100 } }),
    "lambda get-function-concurrency": fine({ ReservedConcurrentExecutions: 5 }),
  };
  assert.deepEqual(looked(answers), { problems: [], notes: [] });
  assert.match(
    found(answers, { reservedConcurrency: 6 }).join(),
    /^settings.ts prod.reservedConcurrency: 6, and the account has room for 5; write 5 or less/,
  );
  const denied = { ...answers, "lambda get-function-concurrency": failed("AccessDenied") };
  assert.match(looked(denied).notes.join(), /nobody says what crawlguard-pbright-prod has reserved already/);
});

test("a crawler of the stack's own is not changed while it crawls", () => {
  const answers = {
    ...inUse("UPDATE_COMPLETE", [made("crawler", "pbright-raw")]),
    "glue get-crawler": fine({ Crawler: { State: "RUNNING" } }),
  };
  assert.match(found(answers).join(), /crawler: "[^"]*" is RUNNING.*wait until it is READY/);
});

test("concurrency that may not be looked at is said, not passed", () => {
  const denied = failed("AccessDenied: lambda:GetAccountSettings");
  const { problems, notes } = looked({ "lambda get-account-settings": denied });
  assert.deepEqual(problems, []);
  assert.match(notes.join(), /room for reservedConcurrency: AccessDenied/);
});
