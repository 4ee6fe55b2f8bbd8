import assert from "node:assert/strict";
import { test } from "node:test";
import { serviceRole, USE } from "../lib/keys.ts";
import type { Written } from "../lib/settings.ts";
import { absent, CLOUDWATCH, failed, fine, found, KEY, looked, of, ROOT, statement, TOLD, topic } from "./account.ts";

const S3 = statement({ Service: "s3.amazonaws.com" });
const VIA = { StringEquals: { "kms:ViaService": "s3.us-east-1.amazonaws.com" } };
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
  [/^$/, /^$/, [ROOT, { ...CLOUDWATCH, Action: "kms:Decrypt" }, { ...CLOUDWATCH, Action: "kms:Generate*Key" }]],
  [/: cloudwatch.amazonaws.com;/, /^$/, [ROOT, { ...CLOUDWATCH, Action: "kms:Decrypt" }, { ...S3, Action: USE[1] }]],
  [
    /^$/,
    /key's policy lets cloudwatch.amazonaws.com use it under kms:ViaService: see/,
    [ROOT, { ...CLOUDWATCH, Condition: VIA }],
  ],
  [/: cloudwatch.amazonaws.com;/, /^$/, [ROOT, { ...CLOUDWATCH, Action: USE[0], Condition: VIA }]],
  [/^$/, /leave 123456789012's roles to IAM/, [statement({ Service: "cloudwatch.amazonaws.com" })]],
];
for (const [problem, note, Statement, written] of POLICIES) {
  test(`a key's policy, ${JSON.stringify({ Statement, ...written })}`, () => {
    const answers = {
      "kms get-key-policy": fine({ Policy: JSON.stringify({ Statement }) }),
      "sns get-topic-attributes": written?.takeOver ? topic(statement("*", "sns:Publish")) : absent,
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

const RAW = "arn:aws:s3:::pbright-prod-raw";
const from = (operator: string, source: string | string[]) => ({ [operator]: { "aws:SourceArn": source } });
const ALARMS = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:";
const REFUSED = /does not let \S+ publish; add that/;
/** Who may publish, under which condition, and what preflight has to say: problems, and notes. */
const PUBLISHED: [string, object, RegExp, RegExp][] = [
  ["s3", from("ArnLike", RAW), /^$/, /^$/],
  ["s3", from("ArnLike", "arn:aws:s3:*:*:pbright-*-raw"), /^$/, /^$/],
  ["s3", from("StringEquals", ["arn:aws:s3:::other", RAW]), /^$/, /^$/],
  ["s3", { ...from("ArnEquals", RAW), ...of("123456789012") }, /^$/, /^$/],
  ["s3", from("ArnLike", "arn:aws:s3:::other"), REFUSED, /^$/],
  ["s3", from("ArnLike", "arn:aws:s3:*"), REFUSED, /^$/],
  ["s3", from("StringLike", "arn:aws:s3:*"), /^$/, /^$/],
  ["s3", from("StringEquals", "arn:aws:s3:*"), REFUSED, /^$/],
  ["s3", { ...from("ArnEquals", RAW), ...of("999999999999") }, REFUSED, /^$/],
  ["s3", { ...from("ArnEquals", "arn:aws:s3:::other"), Bool: { "aws:SecureTransport": "true" } }, REFUSED, /^$/],
  ["s3", from("ArnNotLike", RAW), /^$/, /lets s3.amazonaws.com publish under aws:SourceArn: see that these hold/],
  ["s3", { StringEquals: { "aws:SourceOrgID": "o-1" } }, /^$/, /publish under aws:SourceOrgID: see/],
  ["s3", { StringEquals: { "aws:SourceOwner": "123456789012" } }, REFUSED, /^$/],
  ["*", from("ArnLike", RAW), /^$/, /^$/],
  ["*", { StringEquals: { "aws:SourceOrgID": "o-1" } }, REFUSED, /^$/],
  ["cloudwatch", from("ArnLike", `${ALARMS}*`), /^$/, /^$/],
  ["cloudwatch", from("ArnLike", `${ALARMS}crawlguard-pbright-prod-errors`), REFUSED, /^$/],
];
for (const [who, Condition, problem, note] of PUBLISHED) {
  test(`a topic that ${who} may tell under ${JSON.stringify(Condition)}: ${problem.source}, ${note.source}`, () => {
    const principal = who === "*" ? "*" : { Service: `${who}.amazonaws.com` };
    const isTaken = who === "cloudwatch";
    const asked = `sns get-topic-attributes${isTaken ? "" : ` --topic-arn ${TOLD}`}`;
    const written: Partial<Written> = isTaken ? { takeOver: ["topic"] } : { arrivals: TOLD };
    const { problems, notes } = looked(
      { [asked]: topic({ ...statement(principal, "sns:Publish"), Condition }) },
      written,
    );
    assert.match(problems.join(), problem);
    assert.match(notes.join(), note);
  });
}
