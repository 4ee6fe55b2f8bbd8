// What services do in a role's name, as AWS documents it: no run here shows it.
import type { Resource } from "./helpers.ts";
import { existing, ofType } from "./helpers.ts";
import type { Call } from "./simulator.ts";

/** Calls of one service, the page that says so, and whether a lake has them at all. */
interface Documented {
  roles: string[];
  page: string;
  /** A statement of the role that is there only if it is asked for. */
  only?: (json: Json) => boolean;
  calls: (json: Json) => Call[];
}

type Json = { Resources: Record<string, Resource> };

const on = (resource: string | undefined, ...actions: string[]): Call[] =>
  actions.map((action) => (resource === undefined ? { action } : { action, resource }));
const glue = (path: string) => `arn:aws:glue:us-east-1:123456789012:${path}`;
const CATALOG_KEY = existing.written.catalogKey!;
const text = (json: Json) => JSON.stringify(json);
const hasKey = (json: Json) => text(json).includes("UseKeys");
const hasCatalogKey = (json: Json) => text(json).includes("UseCatalogKey");
const hasArrivals = (json: Json) => ofType(json, "AWS::Lambda::EventSourceMapping").length > 0;
const isByEvents = (json: Json) => text(json).includes("CRAWL_EVENT_MODE");
const hasLakeFormation = (json: Json) => ofType(json, "AWS::LakeFormation::Resource").length > 0;

/** A file of the first source, by the names that the role's policy has. */
function rawFile(json: Json): string {
  const role = ofType(json, "AWS::IAM::Role").find(([id]) => id.startsWith("Pipeline"))![1];
  const statements = role.Properties.Policies.flatMap((policy: any) => policy.PolicyDocument.Statement);
  const read = statements.find((it: any) => it.Sid === "ReadRawFiles").Resource;
  return [read].flat()[0].replace("*", "dt=2026-01-02/a.csv");
}
const bucketOf = (arn: string) => arn.split("/")[0]!;

const DOCUMENTED: Documented[] = [
  {
    roles: ["Pipeline"],
    page: "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonAthenaFullAccess.html",
    calls: (json) => [
      ...on(rawFile(json), "s3:GetObject"),
      ...on(bucketOf(rawFile(json)), "s3:GetBucketLocation", "s3:ListBucket"),
      ...["pbright-prod-warehouse/tables/m/r_1/f", "pbright-prod-results/queries/q.csv"]
        .map((file) => `arn:aws:s3:::${file}`)
        .flatMap((file) => [
          ...on(file, "s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"),
          ...on(bucketOf(file), "s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"),
        ]),
      ...on(glue("database/pbright"), "glue:GetDatabase"),
      ...on(
        glue("table/pbright/int_a"),
        "glue:BatchCreatePartition",
        "glue:BatchGetPartition",
        "glue:CreateTable",
        "glue:GetPartition",
        "glue:GetPartitions",
        "glue:GetTable",
        "glue:GetTables",
      ),
    ],
  },
  {
    roles: ["Pipeline"],
    page: "https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html#full-access-to-default-db-per-region",
    calls: () => on(glue("database/default"), "glue:GetDatabase"),
  },
  {
    roles: ["Pipeline", "Deployment"],
    page: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html",
    only: hasKey,
    calls: () => on(undefined, "kms:Decrypt", "kms:GenerateDataKey"),
  },
  {
    roles: ["Pipeline", "Deployment"],
    page: "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
    calls: () => on(undefined, "logs:CreateLogStream", "logs:PutLogEvents"),
  },
  {
    roles: ["Pipeline"],
    page: "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html",
    calls: () => on(undefined, "sqs:SendMessage"),
  },
  {
    roles: ["Pipeline"],
    page: "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html",
    only: hasArrivals,
    calls: () => on(undefined, "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
  },
  {
    roles: ["Pipeline", "Catalog"],
    page: "https://docs.aws.amazon.com/lake-formation/latest/dg/access-control-underlying-data.html",
    only: hasLakeFormation,
    calls: () => on("*", "lakeformation:GetDataAccess"),
  },
  {
    // The managed policy AWSGlueServiceRole, as far as a crawl of S3 into one database goes.
    roles: ["Catalog"],
    page: "https://docs.aws.amazon.com/glue/latest/dg/crawler-prereqs.html",
    calls: (json) => [
      ...on(rawFile(json), "s3:GetObject"),
      ...on(bucketOf(rawFile(json)), "s3:GetBucketLocation", "s3:ListBucket"),
      ...on(glue("database/pbright"), "glue:GetDatabase"),
      ...on(
        glue("table/pbright/raw_orders"),
        "glue:BatchCreatePartition",
        "glue:BatchGetPartition",
        "glue:BatchUpdatePartition",
        "glue:CreateTable",
        "glue:GetPartition",
        "glue:GetPartitions",
        "glue:GetTable",
        "glue:GetTables",
        "glue:UpdatePartition",
        "glue:UpdateTable",
      ),
      ...on(
        "arn:aws:logs:us-east-1:123456789012:log-group:/aws-glue/crawlers:pbright-raw",
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
      ),
    ],
  },
  {
    roles: ["Catalog"],
    page: "https://docs.aws.amazon.com/glue/latest/dg/encryption-glue-resources.html",
    only: hasKey,
    calls: () => on(undefined, "kms:Decrypt"),
  },
  {
    // Glue uses the key in the name of who calls it: Athena for the function, and the crawler.
    roles: ["Pipeline", "Catalog"],
    page: "https://docs.aws.amazon.com/athena/latest/ug/access-encrypted-data-glue-data-catalog.html",
    only: hasCatalogKey,
    calls: () => on(CATALOG_KEY, "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"),
  },
  {
    roles: ["Catalog"],
    page: "https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-event-notifications.html",
    only: isByEvents,
    calls: () =>
      on(
        undefined,
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ListDeadLetterSourceQueues",
        "sqs:ListQueueTags",
        "sqs:PurgeQueue",
        "sqs:ReceiveMessage",
        "sqs:SetQueueAttributes",
      ),
  },
];

/** What services are documented to call in the name of a role, whose logical id begins so. */
export const byServices = (role: string, json: Json): Call[] =>
  DOCUMENTED.filter(({ roles, only }) => roles.includes(role) && (only?.(json) ?? true)).flatMap(({ calls }) =>
    calls(json),
  );
