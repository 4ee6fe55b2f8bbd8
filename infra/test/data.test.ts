import assert from "node:assert/strict";
import { test } from "node:test";
import { existing, first, ofType, prod, synth, taken } from "./helpers.ts";
import { MADE, settingOf } from "../lib/preflight/stack.ts";
import type { Existing } from "../lib/settings.ts";

/**
 * What holds data, by logical id. An id that changes makes CloudFormation make a new resource and leave the old one
 * behind, so these never change.
 */
const HOLDS_DATA = [
  "AlertsTopicCF7C81C9",
  "BucketsRaw686CB728",
  "BucketsResultsB59121EA",
  "BucketsState320306BB",
  "BucketsWarehouse5B1A422F",
  "CatalogDatabaseE63956BB",
  "KeysKeyFE944A9C",
];

test("an upgrade keeps what holds data: same ids, kept when replaced or removed, and not after a first deployment that failed", () => {
  const { json } = first();
  const kept = Object.entries(json.Resources).filter(
    ([, it]) => it.DeletionPolicy === "RetainExceptOnCreate" && it.UpdateReplacePolicy === "Retain",
  );
  assert.deepEqual(kept.map(([id]) => id).sort(), HOLDS_DATA);
});

test("whatever else is set, the ids of what holds data stay", () => {
  const { json } = synth({
    ...prod,
    emails: ["other@example.com"],
    memoryMb: 1024,
    arrivals: "on",
    accessLogBucket: "pbright-logs",
    lakeFormation: true,
  });
  for (const id of HOLDS_DATA) assert.ok(json.Resources[id], id);
});

test("destroying removes what holds data only if told so, and an update that replaces it never does", () => {
  const { json } = synth({ ...prod, onDestroy: "delete" });
  for (const id of HOLDS_DATA) {
    const { DeletionPolicy, UpdateReplacePolicy } = json.Resources[id]!;
    assert.deepEqual([DeletionPolicy, UpdateReplacePolicy], ["Delete", "Retain"], id);
  }
});

test("preflight knows what the stack makes by logical ids that the template has", () => {
  const found = Object.keys(first().json.Resources).flatMap((id) => settingOf(id) ?? []);
  assert.deepEqual(found.sort(), Object.keys(MADE).sort());
});

const TYPES: Record<Existing, [string, (properties: any) => boolean]> = {
  rawBucket: ["AWS::S3::Bucket", (it) => it.BucketName === "pbright-prod-raw"],
  warehouse: ["AWS::S3::Bucket", (it) => it.BucketName === "pbright-prod-warehouse"],
  results: ["AWS::S3::Bucket", (it) => it.BucketName === "pbright-prod-results"],
  state: ["AWS::S3::Bucket", (it) => it.BucketName === "pbright-prod-state"],
  database: ["AWS::Glue::Database", () => true],
  crawler: ["AWS::Glue::Crawler", () => true],
  workgroup: ["AWS::Athena::WorkGroup", () => true],
  topic: ["AWS::SNS::Topic", () => true],
};

for (const [name, [type, is]] of Object.entries(TYPES)) {
  test(`${name} taken over is not made, and all else is`, () => {
    const { json } = synth({ ...prod, takeOver: [name as Existing] });
    const made = Object.entries(TYPES).filter(([, [type, is]]) =>
      ofType(json, type).some(([, { Properties }]) => is(Properties)),
    );
    assert.equal(ofType(first().json, type).filter(([, { Properties }]) => is(Properties)).length, 1);
    assert.deepEqual(
      made.map(([other]) => other).sort(),
      Object.keys(TYPES)
        .filter((other) => other !== name)
        .sort(),
    );
  });
}

test("all can be taken over at once, and are then used by name", () => {
  const { json, findings } = synth({ ...prod, takeOver: Object.keys(TYPES) as Existing[], key: "none" });
  const made = Object.entries(TYPES).filter(([, [type]]) => ofType(json, type).length > 0);
  assert.deepEqual([made, findings], [[], []]);
  const text = JSON.stringify(json);
  for (const name of [
    "pbright-prod-raw",
    "pbright-prod-warehouse",
    "pbright-prod-results",
    "pbright-prod-state",
    "workgroup/pbright",
    "pbright-prod-alerts",
  ]) {
    assert.ok(text.includes(name), name);
  }
});

test("an existing lake's keys are opened to the roles", () => {
  const roles = ofType(taken().json, "AWS::IAM::Role").map(([, role]) => JSON.stringify(role));
  for (const key of [existing.written.key!, ...existing.written.otherKeys!]) {
    assert.ok(
      roles.every((role) => role.includes(key)),
      key,
    );
  }
});
