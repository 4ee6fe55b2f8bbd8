import { Stack } from "aws-cdk-lib";
import { PolicyDocument, type PolicyStatement, type Role } from "aws-cdk-lib/aws-iam";
import { arns } from "./arns.ts";
import { arguedWildcards } from "./argued.ts";
import type { At } from "./at.ts";
import { type Keys, useCatalogKey } from "./keys.ts";
import { allow, deny } from "./statement.ts";

/** What an adapter's calls need. */
export interface Grant {
  /** File under src/ that declares these calls (`Call::new("…", "service:Action")`); none for what Athena does in the caller's name. */
  calls?: string;
  statements: PolicyStatement[];
}

/** What the function that compares, builds and publishes may do; test/permissions.test.ts holds it against src/. */
export function pipelineGrants(stack: Stack, at: At): Grant[] {
  const arn = arns(stack, at);
  const tables = [arn.catalog, arn.database, arn.tables];
  return [
    {
      calls: "catalog/glue.rs",
      statements: [
        allow("ReadTables", ["glue:GetPartitions", "glue:GetTable", "glue:GetTables"], tables),
        allow("ReadTableVersions", ["glue:GetTableVersion", "glue:GetTableVersions"], [...tables, arn.tableVersions]),
        allow("PublishTables", ["glue:CreateTable", "glue:DeleteTable", "glue:UpdateTable"], tables),
        allow("DropTableVersions", ["glue:DeleteTableVersion"], [...tables, arn.tableVersions]),
        // Raw tables are the crawler's, whatever a model is named.
        deny(
          "LeaveRawTables",
          ["glue:CreateTable", "glue:DeleteTable", "glue:DeleteTableVersion", "glue:UpdateTable"],
          [arn.rawTables],
        ),
      ],
    },
    {
      calls: "catalog/glue/crawler.rs",
      // Only arriving files make the function start a crawl; else the crawler has its schedule.
      statements: [
        allow(
          "ReadCrawler",
          at.settings.arrivals === "off" ? ["glue:GetCrawler"] : ["glue:GetCrawler", "glue:StartCrawler"],
          [arn.crawler],
        ),
      ],
    },
    {
      calls: "catalog/glue/probe.rs",
      statements: [
        allow("ListRawFiles", ["s3:ListBucket"], [arn.bucket(at.settings.rawBucket)]),
        // Athena reads them too, in the name of who started the query: a policy has no room to list them twice.
        allow("ReadRawFiles", ["s3:GetObject"], arn.rawFiles),
      ],
    },
    {
      calls: "engine/athena.rs",
      statements: [
        allow(
          "Query",
          [
            "athena:BatchGetQueryExecution",
            "athena:GetQueryExecution",
            "athena:GetWorkGroup",
            "athena:StartQueryExecution",
          ],
          [arn.workgroup],
        ),
      ],
    },
    { calls: "engine/athena/results.rs", statements: [allow("ReadRows", ["athena:GetQueryResults"], [arn.workgroup])] },
    {
      calls: "engine/athena/files.rs",
      statements: [
        allow("ListBuilds", ["s3:ListBucket"], [...new Set(builds(at).map(({ bucket }) => arn.bucket(bucket)))]),
        allow("RemoveBuilds", ["s3:DeleteObject"], builds(at).map(arn.objects)),
      ],
    },
    {
      calls: "store/s3.rs",
      statements: [
        allow("ReadAndWriteState", ["s3:GetObject", "s3:PutObject"], [arn.objects(at.state)]),
        allow("ListState", ["s3:ListBucket"], [arn.bucket(at.state.bucket)]),
        allow("RemoveOldRecords", ["s3:DeleteObject"], records(at).map(arn.objects)),
      ],
    },
    {
      calls: "store/s3/lease.rs",
      statements: [
        allow("GiveLockBack", ["s3:DeleteObject"], [arn.object(at.state.bucket, `${at.state.prefix}run.lock`)]),
      ],
    },
    { calls: "notify/sns.rs", statements: [allow("PublishAlerts", ["sns:Publish"], [at.target.topic])] },
    {
      // Athena reads, writes and looks tables up in the name of who started the query.
      // https://docs.aws.amazon.com/athena/latest/ug/security-iam-athena.html
      statements: [
        allow(
          "AthenaReadsAndWritesTables",
          ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"],
          [arn.objects(at.warehouse), arn.objects(at.results)],
        ),
        allow(
          "AthenaListsBuckets",
          ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
          [at.settings.rawBucket, at.warehouse.bucket, at.results.bucket].map(arn.bucket),
        ),
        allow("AthenaLooksUpTables", ["glue:BatchGetPartition", "glue:GetDatabase", "glue:GetPartition"], tables),
        allow("AthenaWritesPartitions", ["glue:BatchCreatePartition"], tables),
        // https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html#full-access-to-default-db-per-region
        allow("AthenaLooksUpDefault", ["glue:GetDatabase"], [arn.defaultDatabase]),
      ],
    },
  ];
}

/**
 * Where builds lie. A workgroup taken over may enforce its output, and then has them put them there.
 * https://docs.aws.amazon.com/athena/latest/ug/ctas-considerations-limitations.html
 */
const builds = ({ makes, results, warehouse }: At) =>
  makes("workgroup") ? [warehouse] : [warehouse, { ...results, prefix: `${results.prefix}tables/` }];

/** Run records and their alerts, which expire; the project and the queue do not. */
const records = ({ state }: At) => ["runs/", "alerts/"].map((folder) => ({ ...state, prefix: state.prefix + folder }));

/** Why the wildcards among the pipeline's resources are meant so. */
export function arguePipelineWildcards(role: Role, at: At) {
  const arn = arns(Stack.of(role), at);
  arguedWildcards(
    role,
    [arn.tables, arn.tableVersions],
    "Models come and go without a deployment; writing the raw tables among them is denied",
  );
  arguedWildcards(role, arn.rawFiles, "The files of one source");
  arguedWildcards(
    role,
    [at.results, at.state, ...builds(at), ...records(at)].map(arn.objects),
    "The objects of one folder, whose keys are made in a run",
  );
  if (at.settings.lakeFormation)
    arguedWildcards(role, ["*"], "lakeformation:GetDataAccess knows no resources; the grants hold what it opens");
}

/** The policy of the function's role. */
export function pipelinePolicy(
  stack: Stack,
  at: At,
  keys: Keys,
  logGroup: string,
  own: PolicyStatement[],
): PolicyDocument {
  const statements = [
    ...pipelineGrants(stack, at).flatMap((grant) => grant.statements),
    ...own,
    ...common(stack, at, keys, logGroup),
  ];
  if (at.settings.lakeFormation) statements.push(allow("LakeFormation", ["lakeformation:GetDataAccess"], ["*"]));
  return new PolicyDocument({ statements: [...statements, ...useCatalogKey(at)] });
}

/** The policy of the function that deploys the project: reads the bundle, writes the one object. */
export function deployPolicy(
  stack: Stack,
  at: At,
  keys: Keys,
  logGroup: string,
  bundle: { bucket: string; key: string },
): PolicyDocument {
  const arn = arns(stack, at);
  return new PolicyDocument({
    statements: [
      allow("ReadBundle", ["s3:GetObject"], [arn.object(bundle.bucket, bundle.key)]),
      allow(
        "WriteProject",
        ["s3:GetObject", "s3:PutObject"],
        [arn.object(at.state.bucket, `${at.state.prefix}project.json`)],
      ),
      allow("ListState", ["s3:ListBucket"], [arn.bucket(at.state.bucket)]),
      allow("AskWhetherTheStackRollsBack", ["cloudformation:DescribeStacks"], [stack.stackId]),
      ...common(stack, at, keys, logGroup),
    ],
  });
}

/** What Lambda does for every function: its log; and the keys of what it reads and writes. */
function common(stack: Stack, at: At, keys: Keys, logGroup: string): PolicyStatement[] {
  const log = allow("WriteLog", ["logs:CreateLogStream", "logs:PutLogEvents"], [arns(stack, at).logStreams(logGroup)]);
  return keys.arns.length > 0 ? [log, allow("UseKeys", ["kms:Decrypt", "kms:GenerateDataKey"], keys.arns)] : [log];
}
