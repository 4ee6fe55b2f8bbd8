import type { Stack } from "aws-cdk-lib";
import { PolicyDocument } from "aws-cdk-lib/aws-iam";
import { arns } from "./arns.ts";
import type { At } from "./at.ts";
import type { Keys } from "./keys.ts";
import { allow } from "./statement.ts";

/** What Glue does in a crawl. https://docs.aws.amazon.com/glue/latest/dg/crawler-prereqs.html */
export function crawlerPolicy(stack: Stack, at: At, keys: Keys, queueArn: string | undefined): PolicyDocument {
  const arn = arns(stack, at);
  const { rawBucket, sources } = at.settings;
  const statements = [
    allow("ReadRawFiles", ["s3:GetObject"], sources.map((source) => arn.objects({ bucket: rawBucket, prefix: `${source}/` }))),
    allow("ListRawFiles", ["s3:GetBucketLocation", "s3:ListBucket"], [arn.bucket(rawBucket)]),
    allow(
      "WriteRawTables",
      [
        "glue:BatchCreatePartition",
        "glue:BatchGetPartition",
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
    allow("WriteLog", ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], [arn.logStreams("/aws-glue/crawlers")]),
  ];
  if (keys.arns.length > 0) statements.push(allow("DecryptRawFiles", ["kms:Decrypt"], keys.arns));
  // https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-event-notifications.html
  if (queueArn) {
    const actions = ["DeleteMessage", "GetQueueAttributes", "GetQueueUrl", "ListDeadLetterSourceQueues", "ListQueueTags", "PurgeQueue", "ReceiveMessage", "SetQueueAttributes"];
    statements.push(allow("TakeEvents", actions.map((action) => `sqs:${action}`), [queueArn]));
  }
  if (at.settings.lakeFormation) statements.push(allow("LakeFormation", ["lakeformation:GetDataAccess"], ["*"]));
  return new PolicyDocument({ statements });
}
