import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Stack } from "aws-cdk-lib";
import { at } from "../lib/at.ts";
import { type Grant, pipelineGrants } from "../lib/permissions.ts";
import type { Written } from "../lib/settings.ts";
import { check } from "../lib/check/index.ts";
import { first, NOW, ofType, prod, project, synth, taken } from "./helpers.ts";
import { byServices } from "./services.ts";
import { actionsOf, type Call, covers, isAllowed, type Statement, statementsOf } from "./simulator.ts";

const SRC = join(project.root, "src");
const CALL = /Call::new\(\s*"[^"]+",\s*"([^"]+)",?\s*\)/g;

/** Declared actions that the function does not need, and why. */
const NOT_THE_FUNCTION: Record<string, string> = {
  "athena:StopQueryExecution": "a run never cancels what it started",
  "sts:GetCallerIdentity": "only a laptop asks who it is; no policy is needed for it",
  "glue:StartCrawler": "`crawlguard crawl`; with arrivals on, the function starts crawls too",
};

/** Each source file's declared actions: `s3:PutObject and s3:GetObject` are two. What src/cli calls, a laptop calls; what deploys has a role of its own. */
function declared(): Map<string, Set<string>> {
  const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((path) =>
    /^(?!cli\/|lambda\/deploy\.rs).*\.rs$/.test(path),
  );
  const found = files.map((path): [string, string[]] => {
    const calls = readFileSync(join(SRC, path), "utf8").matchAll(CALL);
    return [path, [...calls].flatMap(([, permission]) => permission!.split(" and "))];
  });
  return new Map(found.filter(([, actions]) => actions.length > 0).map(([path, actions]) => [path, new Set(actions)]));
}

function grants(written: Written): Grant[] {
  const { target, settings } = check("prod", project.targets.prod, written, NOW);
  return pipelineGrants(new Stack(), at(project, "prod", target, settings));
}

const allowed = (grant: Grant) =>
  grant.statements
    .map((it) => it.toStatementJson())
    .filter((it) => it.Effect === "Allow")
    .flatMap((it) => [it.Action].flat() as string[]);

test("the sources declare calls", () => {
  assert.ok([...declared().values()].flatMap((actions) => [...actions]).length >= 20);
});

test("each file's calls are granted: none is missing, none is more than its calls", () => {
  const byFile = new Map(
    grants(prod).flatMap((grant) => (grant.calls ? [[grant.calls, new Set(allowed(grant))]] : [])),
  );
  const needed = [...declared()].map(([file, actions]): [string, string[]] => [
    file,
    [...actions].filter((action) => !(action in NOT_THE_FUNCTION)).sort(),
  ]);
  assert.deepEqual(
    [...byFile].map(([file, actions]) => [file, [...actions].sort()]).sort(),
    needed.filter(([, actions]) => actions.length > 0).sort(),
  );
});

test("with arrivals the function may start the crawler", () => {
  const starts = (written: Written) => grants(written).flatMap(allowed).includes("glue:StartCrawler");
  assert.deepEqual([starts(prod), starts({ ...prod, arrivals: "on" })], [false, true]);
});

test("no data action is a wildcard", () => {
  for (const { json } of [first(), taken(), synth({ ...prod, arrivals: "on" })]) {
    for (const [id, role] of ofType(json, "AWS::IAM::Role")) {
      assert.deepEqual(role.Properties.ManagedPolicyArns, undefined, id);
      const actions = statementsOf(role).flatMap(actionsOf);
      assert.deepEqual(
        actions.filter((action) => action.includes("*")),
        [],
        id,
      );
    }
  }
});

test("each role has one purpose, and one service that takes it", () => {
  const roles = ofType(first().json, "AWS::IAM::Role").map(([, role]) => [
    role.Properties.Description,
    role.Properties.AssumeRolePolicyDocument.Statement[0].Principal.Service,
  ]);
  assert.deepEqual(roles, [
    ["Lets the crawler pbright-raw read raw files and write raw tables", "glue.amazonaws.com"],
    ["Compares, builds and publishes pbright", "lambda.amazonaws.com"],
    ["Deploys the project of crawlguard-pbright-prod", "lambda.amazonaws.com"],
  ]);
});

const many = (count: number, parent: string) => ({
  ...prod,
  arrivals: "on",
  tableThreshold: count,
  sources: Array.from({ length: count }, (_, index) => `${parent}source_${1000 + index}`),
});

test("no role holds a policy that IAM finds too long, with 400 sources in one folder", () => {
  const lakes = [first(), taken(), synth({ ...many(400, "landing/"), lakeFormation: true })];
  for (const { json } of lakes) {
    for (const [id, role] of ofType(json, "AWS::IAM::Role")) {
      // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: 10,240 characters a role, without white space.
      assert.ok(JSON.stringify(role.Properties.Policies).length < 10_240, id);
    }
  }
  const { json } = lakes[2]!;
  const may = (key: string) =>
    isAllowed(statementsOf(roleOf("Pipeline", json)), {
      action: "s3:GetObject",
      resource: `arn:aws:s3:::pbright-prod-raw/${key}`,
    });
  assert.deepEqual([may("landing/source_1000/a.csv"), may("landing2/a.csv")], [true, false]);
  // S3 tells of 100 folders at most, and a template has 200 outputs.
  const [[, raw]] = ofType(json, "AWS::S3::Bucket") as any;
  assert.equal(raw.Properties.NotificationConfiguration.TopicConfigurations.length, 1);
  assert.equal(json.Outputs.Source1.Value, "s3://pbright-prod-raw/landing/SOURCE/dt=YYYY-MM-DD/");
});

test("sources that no policy can name are refused by name", () => {
  assert.throws(() => synth({ ...many(200, ""), arrivals: "off" }), /settings\.ts prod\.sources: 200 folders make/);
  assert.throws(() => synth(many(101, "")), /settings\.ts prod\.sources: 101, and S3 tells of 100/);
});

type Json = ReturnType<typeof first>["json"];
const roleOf = (begin: string, json: Json) => ofType(json, "AWS::IAM::Role").find(([id]) => id.startsWith(begin))![1];
const pipelineRole = () => statementsOf(roleOf("Pipeline", first().json));
const deployRole = () => statementsOf(roleOf("Deployment", first().json));

const glue = (path: string) => `arn:aws:glue:us-east-1:123456789012:${path}`;

const REFUSED: Call[] = [
  { action: "glue:UpdateTable", resource: glue("table/pbright/raw_source_1") },
  { action: "glue:DeleteTable", resource: glue("table/other/int_operations") },
  { action: "glue:DeleteDatabase", resource: glue("database/pbright") },
  { action: "s3:PutObject", resource: "arn:aws:s3:::pbright-prod-raw/source_1/new.csv" },
  { action: "s3:DeleteObject", resource: "arn:aws:s3:::pbright-prod-raw/source_1/old.csv" },
  { action: "s3:DeleteObject", resource: "arn:aws:s3:::pbright-prod-state/crawlguard/project.json" },
  { action: "s3:GetObject", resource: "arn:aws:s3:::pbright-prod-raw/another_source/a.csv" },
  { action: "athena:StartQueryExecution", resource: "arn:aws:athena:us-east-1:123456789012:workgroup/primary" },
  { action: "sns:Publish", resource: "arn:aws:sns:us-east-1:123456789012:other" },
];
for (const call of REFUSED) {
  test(`the function may not ${call.action} on ${call.resource}`, () =>
    assert.equal(isAllowed(pipelineRole(), call), false));
}

test("the function may remove the records that src/ names, and not the queue", () => {
  const folders = ["pipeline/record.rs", "notify/outbox.rs"].map(
    (file) => /format!\("(\w+)\/\{run_id\}/.exec(readFileSync(join(SRC, file), "utf8"))![1],
  );
  const remove = (key: string) =>
    isAllowed(pipelineRole(), {
      action: "s3:DeleteObject",
      resource: `arn:aws:s3:::pbright-prod-state/crawlguard/${key}`,
    });
  const keys = [...folders.map((folder) => `${folder}/20260102T030405Z`), "queue.json"];
  assert.deepEqual(keys.map(remove), [true, true, false]);
});

test("what deploys the project may write nothing else", () => {
  const write = (key: string) =>
    isAllowed(deployRole(), { action: "s3:PutObject", resource: `arn:aws:s3:::pbright-prod-state/crawlguard/${key}` });
  assert.deepEqual([write("project.json"), write("queue.json")], [true, false]);
});

test("what deploys the project may make the calls that it declares", () => {
  const text = readFileSync(join(SRC, "lambda/deploy.rs"), "utf8");
  const actions = [...text.matchAll(CALL)].map(([, action]) => action!);
  assert.deepEqual(actions, ["s3:GetObject", "cloudformation:DescribeStacks"]);
  assert.deepEqual(
    actions.filter((action) => !deployRole().flatMap(actionsOf).includes(action)),
    [],
  );
});

/** Actions of statements that these runs had no need of, and when one has. */
const RARE: Record<string, string> = {
  "Query athena:GetQueryExecution": "Athena has forgotten a query",
  "RemoveOldRecords s3:DeleteObject": "a run is older than the records kept",
  "ReadTableVersions glue:GetTableVersion": "a publication is taken back",
  "ListState s3:ListBucket": "a key is absent, which S3 says to nobody else; or old records are looked for",
};

/** Calls of whole runs as test/live.py recorded them: published, old versions removed, halted, alerted. */
const recorded = () => JSON.parse(readFileSync(new URL("calls.json", import.meta.url), "utf8")) as Call[];

test("every call of the recorded runs is allowed", () => {
  assert.deepEqual(
    recorded().filter((call) => !isAllowed(pipelineRole(), call)),
    [],
  );
});

test("every permission is used by the recorded runs, or by a service in the function's name", () => {
  const isUsed = (it: Statement, action: string) =>
    [...recorded(), ...byServices("Pipeline", first().json)].some((call) => call.action === action && covers(it, call));
  const ours = pipelineRole().filter((it) => it.Effect === "Allow");
  const unused = ours.flatMap((it) =>
    actionsOf(it)
      .filter((action) => !isUsed(it, action))
      .map((action) => `${it.Sid} ${action}`),
  );
  assert.deepEqual(unused.sort(), Object.keys(RARE).sort());
});

const LAKES: Record<string, () => ReturnType<typeof first>> = {
  "a new lake": first,
  "an existing lake": taken,
  "a lake by events": () => synth({ ...prod, arrivals: "on", crawl: "events", sources: ["lake/orders"] }),
};
const OURS: Record<string, () => string[]> = {
  Catalog: () => [],
  Pipeline: () => [...declared().values()].flatMap((actions) => [...actions]),
  Deployment: () => ["s3:GetObject", "s3:PutObject", "s3:ListBucket", "cloudformation:DescribeStacks"],
};
for (const [lake, of] of Object.entries(LAKES)) {
  for (const [role, ours] of Object.entries(OURS)) {
    test(`${lake}, ${role}: what services are documented to do in its name is allowed, and nothing that neither they nor src/ do`, () => {
      const { json } = of();
      const statements = statementsOf(roleOf(role, json));
      const documented = byServices(role, json);
      assert.deepEqual(
        documented.filter((call) => !isAllowed(statements, call)),
        [],
      );
      const known = new Set([...documented.map(({ action }) => action), ...ours()]);
      const allowed = statements.filter((it) => it.Effect === "Allow").flatMap(actionsOf);
      assert.deepEqual(
        allowed.filter((action) => !known.has(action)),
        [],
      );
    });
  }
}

for (const [lake, of] of Object.entries(LAKES)) {
  test(`${lake}: the crawler's role may read all that the crawler is told to crawl, and nothing beside`, () => {
    const { json } = of();
    const statements = statementsOf(roleOf("Catalog", json));
    const [[, crawler]] = ofType(json, "AWS::Glue::Crawler") as any;
    const paths: string[] = crawler.Properties.Targets.S3Targets.map((it: any) => it.Path.replace("s3://", ""));
    const may = (key: string) => isAllowed(statements, { action: "s3:GetObject", resource: `arn:aws:s3:::${key}` });
    assert.deepEqual(
      paths.filter((path) => !may(`${path}another/dt=2026-01-02/a.csv`)),
      [],
    );
    const [bucket] = paths[0]!.split("/");
    assert.ok(!may(`${bucket}/unknown/a.csv`));
  });
}

test("old builds can be removed where a workgroup taken over may put them", () => {
  const statements = statementsOf(roleOf("Pipeline", taken().json));
  const may = (action: string, resource: string) =>
    isAllowed(statements, { action, resource: `arn:aws:s3:::${resource}` });
  const id = "01234567-0123-4123-8123-0123456789ab";
  assert.ok(may("s3:DeleteObject", `pbright-prod-results/queries/tables/${id}/part-0`));
  assert.ok(may("s3:ListBucket", "pbright-prod-results"));
  assert.ok(!may("s3:DeleteObject", `pbright-prod-results/queries/${id}.csv`));
});
