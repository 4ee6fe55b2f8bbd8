import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { withTable } from "../lib/table.ts";
import { first, ofType, prod, project, synth } from "./helpers.ts";

const DOCS = join(project.root, "docs");
const page = () => readFileSync(join(DOCS, "deploy.md"), "utf8");

test("the settings table is that of lib/settings.ts (else: npm run docs)", () =>
  assert.equal(page(), withTable(page())));

test("each alarm has a page, and each page an alarm", () => {
  const { json } = synth({ ...prod, arrivals: "on", crawl: "events", sources: ["lake/orders"] });
  const named = ofType(json, "AWS::CloudWatch::Alarm").map(
    ([, { Properties }]) => / See docs\/runbook\/(.*\.md)$/.exec(Properties.AlarmDescription)![1],
  );
  assert.deepEqual(named.sort(), readdirSync(join(DOCS, "runbook")).sort());
  for (const name of named) assert.ok(page().includes(`(runbook/${name})`), name);
});

test("an alarm links to its page where people read them", () => {
  const { json } = synth({ ...prod, docsUrl: "https://git.example.com/docs/" });
  const [[, alarm]] = ofType(json, "AWS::CloudWatch::Alarm") as any;
  assert.match(alarm.Properties.AlarmDescription, / See https:\/\/git\.example\.com\/docs\/runbook\/no-run\.md$/);
});

test("the statements that a key taken over needs are those of a key made here", () => {
  const [, shown] = /<!-- key policy:[^\n]*\n```json\n([\s\S]*?)```/.exec(page())!;
  const [[, key]] = ofType(synth({ ...prod, lakeFormation: true }).json, "AWS::KMS::Key") as any;
  const made = key.Properties.KeyPolicy.Statement.filter((it: any) => it.Sid);
  assert.equal(made.length, 2);
  assert.deepEqual(JSON.parse(shown!.replaceAll("ACCOUNT", "123456789012")), made);
});

test("the runbook's queues are outputs of the stack", () => {
  const { json } = synth({ ...prod, arrivals: "on", crawl: "events", sources: ["lake/orders"] });
  const named = ["dead-letters", "dead-arrivals", "dead-events"].map((name) => {
    const text = readFileSync(join(DOCS, "runbook", `${name}.md`), "utf8");
    return /`(Dead\w+)`|# (Dead\w+)/.exec(text)!.slice(1).find(Boolean)!;
  });
  assert.deepEqual(named, ["DeadLetters", "DeadArrivals", "DeadEvents"]);
  for (const name of named) assert.equal(json.Resources[json.Outputs[name].Value.Ref]!.Type, "AWS::SQS::Queue", name);
});

test("the page on errors has each type that the function reports", () => {
  const shell = readFileSync(join(project.root, "src/lambda/mod.rs"), "utf8");
  const types = [...shell.matchAll(/(?:Failure::new\(|Self::new\(|=>)\s*"([A-Z]\w+)"/g)].map(([, type]) => type!);
  assert.ok(types.length > 10);
  const text = readFileSync(join(DOCS, "runbook/errors.md"), "utf8");
  assert.deepEqual(
    types.filter((type) => !text.includes(`\`${type}\``)),
    [],
  );
});

test("links between the pages lead somewhere", () => {
  const pages = ["deploy.md", ...readdirSync(join(DOCS, "runbook")).map((name) => join("runbook", name))];
  const links = pages.flatMap((name) => {
    const found = readFileSync(join(DOCS, name), "utf8").matchAll(/\]\((?!https:)([^)#]+)/g);
    return [...found].map(([, link]) => join(dirname(name), link!));
  });
  assert.ok(links.length > 10);
  assert.deepEqual(
    links.filter((link) => !existsSync(join(DOCS, link))),
    [],
  );
});

/** The diagram's words for what the template has. */
const WORDS: Record<string, string> = {
  Alarm: "AWS::CloudWatch::Alarm",
  Bucket: "AWS::S3::Bucket",
  Crawler: "AWS::Glue::Crawler",
  Dashboard: "AWS::CloudWatch::Dashboard",
  Database: "AWS::Glue::Database",
  Function: "AWS::Lambda::Function",
  Key: "AWS::KMS::Key",
  Project: "Custom::CrawlguardProject",
  Queue: "AWS::SQS::Queue",
  Rule: "AWS::Events::Rule",
  Topic: "AWS::SNS::Topic",
  Workgroup: "AWS::Athena::WorkGroup",
};

/** What belongs to another resource, and is not drawn. */
const PARTS = [
  "AWS::IAM::Role",
  "AWS::Lambda::EventInvokeConfig",
  "AWS::Lambda::Permission",
  "AWS::Logs::LogGroup",
  "AWS::Logs::MetricFilter",
  "AWS::S3::BucketPolicy",
  "AWS::SNS::Subscription",
  "AWS::SNS::TopicPolicy",
  "AWS::SQS::QueuePolicy",
];

const diagram = () => /```mermaid\n([\s\S]*?)```/.exec(page())![1]!;

/** Nodes with a word of the above: id → type. */
function nodes(): Map<string, string> {
  const found = diagram().matchAll(/(\w+)[[({/]+(\w+)/g);
  return new Map(
    [...found].flatMap(([, id, word]): [string, string][] => (WORDS[word!] ? [[id!, WORDS[word!]!]] : [])),
  );
}

test("the diagram's resources are the template's, as many of each", () => {
  const made = Object.values(first().json.Resources)
    .map((it) => it.Type)
    .filter((type) => !PARTS.includes(type));
  assert.deepEqual([...nodes().values()].sort(), made.sort());
});

test("the diagram's arrows from rules and alarms are the template's", () => {
  const { json } = first();
  const arrows = [...diagram().matchAll(/(\w+)(?:\W[^\n]*?)?--> (\w+)/g)].map(([, from, to]) => [from!, to!] as const);
  const drawn = (type: string) =>
    arrows.filter(([from]) => nodes().get(from) === type).map(([, to]) => nodes().get(to));
  const target = (arn: any) => json.Resources[arn["Fn::GetAtt"]?.[0] ?? arn.Ref]!.Type;
  const rules = ofType(json, "AWS::Events::Rule").flatMap(([, rule]) =>
    rule.Properties.Targets.map((it: any) => target(it.Arn)),
  );
  const alarms = ofType(json, "AWS::CloudWatch::Alarm").flatMap(([, alarm]) =>
    alarm.Properties.AlarmActions.map(target),
  );
  assert.deepEqual(drawn("AWS::Events::Rule"), rules);
  assert.deepEqual(drawn("AWS::CloudWatch::Alarm"), alarms);
});
