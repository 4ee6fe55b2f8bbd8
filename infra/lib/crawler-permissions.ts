import { Stack } from "aws-cdk-lib";
import { PolicyDocument, type Role } from "aws-cdk-lib/aws-iam";
import { arns } from "./arns.ts";
import { arguedWildcards } from "./argued.ts";
import type { At } from "./at.ts";
import { type Keys, useCatalogKey } from "./keys.ts";
import { allow } from "./statement.ts";

const LOG = "/aws-glue/crawlers";

/**
 * What Glue does in a crawl: AWSGlueServiceRole, scoped down. Glue's calls are not seen outside an account; the tests hold
 * these against what AWS documents. https://docs.aws.amazon.com/glue/latest/dg/crawler-prereqs.html
 */
export function crawlerPolicy(stack: Stack, at: At, keys: Keys, queueArn: string | undefined): PolicyDocument {
  const arn = arns(stack, at);
  const { rawBucket } = at.settings;
  const statements = [
    allow("ReadRawFiles", ["s3:GetObject"], arn.rawFiles),
    allow("ListRawFiles", ["s3:GetBucketLocation", "s3:ListBucket"], [arn.bucket(rawBucket)]),
    allow(
      "WriteRawTables",
      [
        "glue:BatchCreatePartition",
        "glue:BatchGetPartition",
        "glue:BatchUpdatePartition",
        "glue:CreateTable",
        "glue:GetDatabase",
        "glue:GetPartition",
        "glue:GetPartitions",
        "glue:GetTable",
        "glue:GetTables",
        "glue:UpdatePartition",
        "glue:UpdateTable",
      ],
      [arn.catalog, arn.database, arn.rawTables],
    ),
    allow("WriteLog", ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], [arn.logStreams(LOG)]),
  ];
  if (keys.arns.length > 0) statements.push(allow("DecryptRawFiles", ["kms:Decrypt"], keys.arns));
  // https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-event-notifications.html
  if (queueArn) {
    const actions = [
      "DeleteMessage",
      "GetQueueAttributes",
      "GetQueueUrl",
      "ListDeadLetterSourceQueues",
      "ListQueueTags",
      "PurgeQueue",
      "ReceiveMessage",
      "SetQueueAttributes",
    ];
    statements.push(
      allow(
        "TakeEvents",
        actions.map((action) => `sqs:${action}`),
        [queueArn],
      ),
    );
  }
  if (at.settings.lakeFormation) statements.push(allow("LakeFormation", ["lakeformation:GetDataAccess"], ["*"]));
  return new PolicyDocument({ statements: [...statements, ...useCatalogKey(at)] });
}

/** Why the wildcards among the crawler's resources are meant so. */
export function argueCrawlerWildcards(role: Role, at: At) {
  const arn = arns(Stack.of(role), at);
  arguedWildcards(role, arn.rawFiles, "The files of one source");
  arguedWildcards(role, [arn.rawTables], "The crawler names tables by their folders, all with the raw prefix");
  arguedWildcards(role, [arn.logStreams(LOG)], "Glue names the streams of its own log");
  if (at.settings.lakeFormation)
    arguedWildcards(role, ["*"], "lakeformation:GetDataAccess knows no resources; the grants hold what it opens");
}
