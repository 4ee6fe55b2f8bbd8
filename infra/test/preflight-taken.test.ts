import assert from "node:assert/strict";
import { test } from "node:test";
import type { Answer } from "../lib/preflight/index.ts";
import type { Written } from "../lib/settings.ts";
import {
  CLOUDWATCH,
  catalog,
  failed,
  fine,
  KEY,
  looked,
  of,
  policy,
  ROOT,
  rule,
  statement,
  TOLD,
  topic,
} from "./account.ts";

const OURS = of("123456789012");
const BUCKET: Record<string, string> = Object.fromEntries(
  ["warehouse", "results", "state"]
    .map((name) => [name, `pbright-prod-${name}`])
    .concat([["rawBucket", "pbright-prod-raw"]]),
);
const encrypted = (ApplyServerSideEncryptionByDefault: object) =>
  fine({ ServerSideEncryptionConfiguration: { Rules: [{ ApplyServerSideEncryptionByDefault }] } });
const bucketThere = fine({});
const ENCRYPTED = { CatalogEncryptionMode: "SSE-KMS" };
const BUCKETS = Object.values(BUCKET);
const logging = (bucket: string) => ({
  ...statement({ Service: "logging.s3.amazonaws.com" }, "s3:PutObject"),
  Condition: { ArnLike: { "aws:SourceArn": `arn:aws:s3:::${bucket}` } },
});

/** What is taken over, what the account says of it, and what preflight has to say: problems, and notes. */
const TAKEN: [string, RegExp, RegExp, Partial<Written>, Record<string, Answer>][] = [
  [
    "a bucket elsewhere",
    /^settings.ts prod.rawBucket: "pbright-prod-raw" is in eu-west-1, and the target in us-east-1; name one of that region$/,
    /^$/,
    { takeOver: ["rawBucket"] },
    { "s3api get-bucket-location --bucket pbright-prod-raw": fine({ LocationConstraint: "EU" }) },
  ],
  [
    "a bucket elsewhere, named in crawlguard.toml",
    /^crawlguard.toml targets.prod.state: "pbright-prod-state" is in eu-north-1/,
    /^$/,
    { takeOver: ["state"] },
    { "s3api get-bucket-location": fine({ LocationConstraint: "eu-north-1" }) },
  ],
  [
    "a bucket of which nobody says where it is",
    /^$/,
    /nobody says in which region "pbright-prod-state" is: AccessDenied/,
    { takeOver: ["state"] },
    { "s3api get-bucket-location": failed("AccessDenied") },
  ],
  [
    "a warehouse whose files expire",
    /^crawlguard.toml targets.prod.warehouse: published tables lie in s3:\/\/pbright-prod-warehouse\/tables\/, and .*"old"/,
    /^$/,
    { takeOver: ["warehouse"] },
    { "s3api get-bucket-lifecycle-configuration": fine({ Rules: [rule("tables/")] }) },
  ],
  [
    "a warehouse whose files go where Athena reads none",
    /targets.prod.warehouse: .*"old"/,
    /^$/,
    { takeOver: ["warehouse"] },
    {
      "s3api get-bucket-lifecycle-configuration": fine({
        Rules: [rule(undefined, { Transitions: [{ Days: 90, StorageClass: "GLACIER" }] })],
      }),
    },
  ],
  [
    "a warehouse whose files become cheaper, and old versions go",
    /^$/,
    /^$/,
    { takeOver: ["warehouse"] },
    {
      "s3api get-bucket-lifecycle-configuration": fine({
        Rules: [
          rule(undefined, {
            Transitions: [{ Days: 90, StorageClass: "GLACIER_IR" }],
            NoncurrentVersionExpiration: { NoncurrentDays: 1 },
          }),
        ],
      }),
    },
  ],
  [
    "a state that expires",
    /targets.prod.state: the project and its runs lie in s3:\/\/pbright-prod-state\/crawlguard\/, and .*"old"/,
    /^$/,
    { takeOver: ["state"] },
    { "s3api get-bucket-lifecycle-configuration": fine({ Rules: [rule("crawlguard/runs/")] }) },
  ],
  [
    "a state whose rules may not be read",
    /^$/,
    /nobody says whether a rule removes them: AccessDenied/,
    { takeOver: ["state"] },
    { "s3api get-bucket-lifecycle-configuration": failed("AccessDenied") },
  ],
  [
    "a bucket with a key that nobody opened",
    /^settings.ts prod.otherKeys: "\S+1234" encrypts "pbright-prod-state", and the roles may not use it; put it in here$/,
    /^$/,
    { takeOver: ["state"] },
    {
      "s3api get-bucket-encryption": encrypted({ SSEAlgorithm: "aws:kms", KMSMasterKeyID: "1234" }),
      "kms describe-key": fine({ KeyMetadata: { Arn: KEY, KeyState: "Enabled" } }),
    },
  ],
  [
    "a bucket with a key that is open to the roles",
    /^$/,
    /^$/,
    { takeOver: ["state"], otherKeys: [KEY] },
    { "s3api get-bucket-encryption": encrypted({ SSEAlgorithm: "aws:kms", KMSMasterKeyID: KEY }) },
  ],
  [
    "a bucket with S3's own key",
    /^$/,
    /^$/,
    { takeOver: ["state"] },
    { "s3api get-bucket-encryption": encrypted({ SSEAlgorithm: "aws:kms" }) },
  ],
  [
    "a bucket with the key that the stack itself has made",
    /^$/,
    /^$/,
    { takeOver: ["state"] },
    {
      "cloudformation describe-stacks": fine({ Stacks: [{ StackStatus: "CREATE_COMPLETE" }] }),
      "cloudformation list-stack-resources": fine({
        StackResourceSummaries: [{ LogicalResourceId: "KeysKey0123ABCD", PhysicalResourceId: "1234" }],
      }),
      "s3api get-bucket-encryption": encrypted({ SSEAlgorithm: "aws:kms", KMSMasterKeyID: KEY }),
    },
  ],
  [
    "a bucket of which nobody says how it is encrypted",
    /^$/,
    /nobody says which key encrypts "pbright-prod-state": AccessDenied/,
    { takeOver: ["state"] },
    { "s3api get-bucket-encryption": failed("AccessDenied") },
  ],
  [
    "a bucket for logs that is not there",
    /^settings.ts prod.accessLogBucket: "logs" is not there; make it/,
    /^$/,
    { accessLogBucket: "logs" },
    {},
  ],
  [
    "a bucket for logs that lets nobody write",
    /^settings.ts prod.accessLogBucket: "logs" does not let S3 write logs; let logging.s3.amazonaws.com s3:PutObject/,
    /^$/,
    { accessLogBucket: "logs" },
    { "s3api head-bucket --bucket logs": bucketThere, "s3api get-bucket-policy": failed("NoSuchBucketPolicy") },
  ],
  [
    "a bucket for logs that lets another account's write",
    /prod.accessLogBucket: .* does not let S3/,
    /^$/,
    { accessLogBucket: "logs" },
    {
      "s3api head-bucket --bucket logs": bucketThere,
      "s3api get-bucket-policy": fine({
        Policy: policy({
          ...statement({ Service: "logging.s3.amazonaws.com" }, "s3:PutObject"),
          Condition: of("999999999999"),
        }),
      }),
    },
  ],
  [
    "a bucket for logs",
    /^$/,
    /^$/,
    { accessLogBucket: "logs" },
    {
      "s3api head-bucket --bucket logs": bucketThere,
      "s3api get-bucket-policy": fine({
        Policy: policy({ ...statement({ Service: "logging.s3.amazonaws.com" }, "s3:PutObject"), Condition: OURS }),
      }),
    },
  ],
  [
    "a bucket for logs that takes those of each bucket made here",
    /^$/,
    /^$/,
    { accessLogBucket: "logs" },
    {
      "s3api head-bucket --bucket logs": bucketThere,
      "s3api get-bucket-policy": fine({ Policy: policy(...BUCKETS.map(logging)) }),
    },
  ],
  [
    "a bucket for logs that takes those of all buckets but one",
    /prod.accessLogBucket: .* does not let S3/,
    /^$/,
    { accessLogBucket: "logs" },
    {
      "s3api head-bucket --bucket logs": bucketThere,
      "s3api get-bucket-policy": fine({ Policy: policy(...BUCKETS.slice(1).map(logging)) }),
    },
  ],
  [
    "a bucket for logs under a condition that nobody can judge",
    /^$/,
    /"logs" lets S3 write logs under aws:SourceOrgID: see that these hold/,
    { accessLogBucket: "logs" },
    {
      "s3api head-bucket --bucket logs": bucketThere,
      "s3api get-bucket-policy": fine({
        Policy: policy({
          ...statement({ Service: "logging.s3.amazonaws.com" }, "s3:PutObject"),
          Condition: { StringEquals: { "aws:SourceOrgID": "o-1" } },
        }),
      }),
    },
  ],
  [
    "a bucket for logs that lets S3 by its list of grants",
    /^$/,
    /^$/,
    { accessLogBucket: "logs" },
    {
      "s3api head-bucket --bucket logs": bucketThere,
      "s3api get-bucket-policy": failed("NoSuchBucketPolicy"),
      "s3api get-bucket-acl": fine({
        Grants: [{ Grantee: { URI: "http://acs.amazonaws.com/groups/s3/LogDelivery" }, Permission: "WRITE" }],
      }),
    },
  ],
  [
    "a bucket for logs elsewhere, with a key",
    /prod.accessLogBucket: "logs" is encrypted by a KMS key.*prod.accessLogBucket: "logs" is in eu-west-1/,
    /nobody says whether "logs" lets S3 write logs: AccessDenied/,
    { accessLogBucket: "logs" },
    {
      "s3api head-bucket --bucket logs": bucketThere,
      "s3api get-bucket-policy": failed("AccessDenied"),
      "s3api get-bucket-location --bucket logs": fine({ LocationConstraint: "eu-west-1" }),
      "s3api get-bucket-encryption": encrypted({ SSEAlgorithm: "aws:kms" }),
    },
  ],
  [
    "another key that is not there",
    /^settings.ts prod.otherKeys: arn:aws:kms:us-east-1:123456789012:key\/1234 is not there; name another$/,
    /^$/,
    { otherKeys: [KEY] },
    { "kms describe-key": failed("An error occurred (NotFoundException)") },
  ],
  [
    "another key that is disabled",
    /^settings.ts prod.otherKeys: \S+1234 is Disabled; enable it/,
    /^$/,
    { otherKeys: [KEY] },
    { "kms describe-key": fine({ KeyMetadata: { KeyState: "Disabled" } }) },
  ],
  [
    "another key that may not be looked at",
    /^$/,
    /nobody says whether \S+1234 is enabled: AccessDenied/,
    { otherKeys: [KEY] },
    { "kms describe-key": failed("AccessDenied") },
  ],
  [
    "a catalog whose key is not named",
    /^settings.ts prod.catalogKey: not set, and "\S+1234" encrypts the Glue Data Catalog: .*; write that$/,
    /^$/,
    {},
    { "glue get-data-catalog-encryption-settings": catalog({ ...ENCRYPTED, SseAwsKmsKeyId: KEY }) },
  ],
  [
    "a catalog with another key than is named",
    /^settings.ts prod.catalogKey: "\S+1234", and "\S+5678" encrypts/,
    /^$/,
    { catalogKey: KEY },
    {
      "glue get-data-catalog-encryption-settings": catalog({ ...ENCRYPTED, SseAwsKmsKeyId: "alias/lake" }),
      "kms describe-key --key-id alias/lake": fine({ KeyMetadata: { Arn: KEY.replace(/1234$/, "5678") } }),
    },
  ],
  [
    "a catalog with the key that is named, by its id",
    /^$/,
    /^$/,
    { catalogKey: KEY },
    {
      "glue get-data-catalog-encryption-settings": catalog({ ...ENCRYPTED, SseAwsKmsKeyId: "1234" }),
      "kms describe-key --key-id 1234": fine({ KeyMetadata: { Arn: KEY } }),
    },
  ],
  [
    "a catalog with Glue's own key",
    /^settings.ts prod.catalogKey: not set, and "\S+1234" encrypts/,
    /^$/,
    {},
    {
      "glue get-data-catalog-encryption-settings": catalog(ENCRYPTED),
      "kms describe-key --key-id alias/aws/glue": fine({ KeyMetadata: { Arn: KEY } }),
    },
  ],
  [
    "a catalog whose key may not be looked at",
    /^$/,
    /nobody says whether catalogKey is 1234, which encrypts the catalog: AccessDenied/,
    {},
    {
      "glue get-data-catalog-encryption-settings": catalog({ ...ENCRYPTED, SseAwsKmsKeyId: "1234" }),
      "kms describe-key": failed("AccessDenied"),
    },
  ],
  [
    "a catalog whose key Glue uses by a role",
    /^$/,
    /^$/,
    {},
    {
      "glue get-data-catalog-encryption-settings": catalog({
        CatalogEncryptionMode: "SSE-KMS-WITH-SERVICE-ROLE",
        SseAwsKmsKeyId: KEY,
      }),
    },
  ],
  [
    "a catalog that may not be looked at",
    /^$/,
    /nobody says whether the Glue Data Catalog is encrypted: AccessDenied/,
    {},
    { "glue get-data-catalog-encryption-settings": failed("AccessDenied") },
  ],
  [
    "a topic that no alarm may tell",
    /^crawlguard.toml targets.prod.topic: the policy of \S+pbright-prod-alerts does not let cloudwatch.amazonaws.com publish/,
    /^$/,
    { takeOver: ["topic"] },
    { "sns get-topic-attributes": topic(statement({ AWS: "arn:aws:iam::123456789012:root" }, "sns:Publish")) },
  ],
  [
    "a topic as SNS makes it",
    /^$/,
    /^$/,
    { takeOver: ["topic"] },
    {
      "sns get-topic-attributes": topic({
        ...statement({ AWS: "*" }, ["SNS:Publish", "SNS:Subscribe"]),
        Condition: { StringEquals: { "AWS:SourceOwner": "123456789012" } },
      }),
    },
  ],
  [
    "a topic with SNS's own key",
    /targets.prod.topic: \S+ is encrypted by alias\/aws\/sns, which cloudwatch.amazonaws.com may not use/,
    /^$/,
    { takeOver: ["topic"] },
    { "sns get-topic-attributes": topic(statement("*", "sns:*"), "alias/aws/sns") },
  ],
  [
    "a topic with a key that nobody opened",
    /targets.prod.topic: the policy of \S+1234 does not let these use it: cloudwatch.amazonaws.com;.*prod.otherKeys: "\S+1234" encrypts \S+, and the roles may not use it/,
    /^$/,
    { takeOver: ["topic"] },
    {
      "sns get-topic-attributes": topic(statement("*", "sns:*"), "alias/mine"),
      "kms describe-key": fine({ KeyMetadata: { Arn: KEY, KeyState: "Enabled" } }),
      "kms get-key-policy": fine({ Policy: policy(ROOT) }),
    },
  ],
  [
    "a topic with a key that is open to all that need it",
    /^$/,
    /^$/,
    { takeOver: ["topic"], otherKeys: [KEY] },
    {
      "sns get-topic-attributes": topic(statement("*", "sns:*"), "1234"),
      "kms describe-key": fine({ KeyMetadata: { Arn: KEY, KeyState: "Enabled" } }),
      "kms get-key-policy": fine({ Policy: policy(ROOT, CLOUDWATCH) }),
    },
  ],
  [
    "a topic of arrivals that is not there",
    /^settings.ts prod.arrivals: arn:aws:sns:us-east-1:123456789012:told is not there/,
    /^$/,
    { arrivals: TOLD },
    { "sns get-topic-attributes --topic-arn arn:aws:sns:us-east-1:123456789012:told": failed("NotFound") },
  ],
  [
    "a topic of arrivals that S3 may not tell, nor use its key",
    /^settings.ts prod.arrivals: the policy of \S+told does not let s3.amazonaws.com publish.*prod.arrivals: the policy of \S+1234 does not let these use it: s3.amazonaws.com/,
    /^$/,
    { arrivals: TOLD },
    {
      [`sns get-topic-attributes --topic-arn ${TOLD}`]: topic(
        statement({ Service: "events.amazonaws.com" }, "sns:*"),
        KEY,
      ),
      "kms get-key-policy": fine({ Policy: policy(ROOT, CLOUDWATCH) }),
    },
  ],
  [
    "a place that Lake Formation does not know",
    /^settings.ts prod.lakeFormation: arn:aws:s3:::pbright-prod-raw\/b\/ is not registered, .*register-resource --resource-arn arn:aws:s3:::pbright-prod-raw\/b\/ --use-service-linked-role$/,
    /^$/,
    { lakeFormation: true, takeOver: ["rawBucket", "warehouse"], sources: ["a", "b"], key: "none" },
    {
      "lakeformation list-resources": fine({
        ResourceInfoList: ["pbright-prod-warehouse", "pbright-prod-raw/a", "pbright-prod-ra"].map((place) => ({
          ResourceArn: `arn:aws:s3:::${place}`,
        })),
      }),
    },
  ],
  [
    "places of which nobody says whether they are registered",
    /^$/,
    /nobody says whether Lake Formation knows the buckets: AccessDenied/,
    { lakeFormation: true, takeOver: ["rawBucket"], key: "none" },
    { "lakeformation list-resources": failed("AccessDenied") },
  ],
];
for (const [what, problem, note, written, answers] of TAKEN) {
  test(`${what}: ${problem.source}, ${note.source}`, () => {
    const there = (written.takeOver ?? []).map((name): [string, Answer] =>
      name === "topic"
        ? ["sns get-topic-attributes", fine({})]
        : [`s3api head-bucket --bucket ${BUCKET[name]}`, fine({})],
    );
    const { problems, notes } = looked({ ...Object.fromEntries(there), ...answers }, written);
    assert.match(problems.join(), problem);
    assert.match(notes.join(), note);
  });
}
