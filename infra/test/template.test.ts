import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Match } from "aws-cdk-lib/assertions";
import { alarmNames } from "../lib/alarms.ts";
import { check as checkAll } from "../lib/app.ts";
import type { Written } from "../lib/settings.ts";
import { first, NOW, ofType, prod, project, synth } from "./helpers.ts";

const BUCKETS = ["pbright-prod-raw", "pbright-prod-results", "pbright-prod-state", "pbright-prod-warehouse"];

test("every bucket is private, encrypted and refuses what is not TLS", () => {
  const { json, template } = first();
  const buckets = ofType(json, "AWS::S3::Bucket").map(([, bucket]) => bucket.Properties.BucketName);
  assert.deepEqual(buckets.sort(), BUCKETS);
  template.allResourcesProperties("AWS::S3::Bucket", {
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    },
    BucketEncryption: {
      ServerSideEncryptionConfiguration: [
        { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms" } },
      ],
    },
  });
  template.resourceCountIs("AWS::S3::BucketPolicy", BUCKETS.length);
  template.allResourcesProperties("AWS::S3::BucketPolicy", {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({ Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } }),
      ]),
    },
  });
});

test("raw files and state are versioned, query results expire, and nothing else does", () => {
  const { json } = first();
  const of = Object.fromEntries(
    ofType(json, "AWS::S3::Bucket").map(([, { Properties }]) => [Properties.BucketName, Properties]),
  );
  const isVersioned = BUCKETS.filter((name) => of[name]!.VersioningConfiguration?.Status === "Enabled");
  assert.deepEqual(isVersioned, ["pbright-prod-raw", "pbright-prod-state"]);
  const expires = BUCKETS.filter((name) =>
    of[name]!.LifecycleConfiguration.Rules.some((rule: any) => rule.ExpirationInDays !== undefined),
  );
  assert.deepEqual(expires, ["pbright-prod-results"]);
});

test("nothing expires where a workgroup taken over may put published tables", () => {
  const { json } = synth({ ...prod, takeOver: ["workgroup"] });
  const rules = ofType(json, "AWS::S3::Bucket").flatMap(([, it]) => it.Properties.LifecycleConfiguration.Rules);
  assert.ok(rules.length > 4);
  assert.deepEqual(
    rules.filter((rule: any) => rule.ExpirationInDays !== undefined),
    [],
  );
});

test("with Lake Formation its own role may use the key, and grants come after the database", () => {
  const { json } = synth({ ...prod, lakeFormation: true });
  const [[, key]] = ofType(json, "AWS::KMS::Key") as any;
  const statement = key.Properties.KeyPolicy.Statement.find((it: any) => it.Sid === "LakeFormationReads");
  assert.deepEqual(statement.Condition, {
    ArnEquals: {
      "aws:PrincipalArn":
        "arn:aws:iam::123456789012:role/aws-service-role/lakeformation.amazonaws.com/AWSServiceRoleForLakeFormationDataAccess",
    },
    StringEquals: { "kms:CallerAccount": "123456789012" },
  });
  assert.ok(["kms:Decrypt", "kms:GenerateDataKey*"].every((action) => statement.Action.includes(action)));
  const grants = ofType(json, "AWS::LakeFormation::PrincipalPermissions");
  assert.equal(grants.length, 9);
  const [[database]] = ofType(json, "AWS::Glue::Database") as any;
  for (const [id, grant] of grants) assert.ok([(grant as any).DependsOn].flat().includes(database), id);
});

/** Where tables may be made, by the role that may. */
function placesGranted(json: ReturnType<typeof synth>["json"]) {
  const grants = ofType(json, "AWS::LakeFormation::PrincipalPermissions").map(([, it]) => it as any);
  return grants
    .filter((it) => it.Properties.Permissions.includes("DATA_LOCATION_ACCESS"))
    .map((it) => {
      const role: string = it.Properties.Principal.DataLakePrincipalIdentifier["Fn::GetAtt"][0];
      const place: string = it.Properties.Resource.DataLocation.ResourceArn.replace("arn:aws:s3:::", "");
      const awaited = [it.DependsOn ?? []].flat().map((id: string) => json.Resources[id]!);
      const isRegistered = awaited.some(({ Properties }) => Properties.ResourceArn?.endsWith(`:::${place}`));
      return [role.replace(/Role.*/, ""), place, isRegistered];
    })
    .sort();
}

test("with Lake Formation the crawler may make tables of what it crawls, and the function of what it builds", () => {
  const { json } = synth({ ...prod, sources: ["orders", "users"], lakeFormation: true });
  assert.deepEqual(placesGranted(json), [
    ["CatalogCrawler", "pbright-prod-raw/orders/", true],
    ["CatalogCrawler", "pbright-prod-raw/users/", true],
    ["PipelineGuard", "pbright-prod-warehouse/tables/", true],
  ]);
});

test("what is taken over is granted, and its owner's to register", () => {
  const written: Written = { ...prod, sources: ["orders"], lakeFormation: true, takeOver: ["rawBucket", "warehouse"] };
  const { json } = synth(written);
  assert.deepEqual(placesGranted(json), [
    ["CatalogCrawler", "pbright-prod-raw/orders/", false],
    ["PipelineGuard", "pbright-prod-warehouse/tables/", false],
  ]);
  assert.deepEqual(ofType(json, "AWS::LakeFormation::Resource"), []);
});

test("with Lake Formation nothing starts before it is granted what it needs", () => {
  const { json } = synth({ ...prod, lakeFormation: true, arrivals: "on" });
  const grants = ofType(json, "AWS::LakeFormation::PrincipalPermissions").map(([id]) => id);
  const functions = ofType(json, "AWS::Lambda::Function");
  const guard = functions.find(([, it]) => it.Properties.FunctionName === "crawlguard-pbright-prod")!;
  for (const [id, it] of [...ofType(json, "AWS::Glue::Crawler"), guard]) {
    const awaited = [(it as any).DependsOn ?? []].flat();
    assert.deepEqual(
      grants.filter((grant) => !awaited.includes(grant)),
      [],
      id,
    );
  }
});

test("the crawler crawls a target a source every six hours, shows what changed and drops nothing", () => {
  const { template } = first();
  template.hasResourceProperties("AWS::Glue::Crawler", {
    Name: "pbright-raw",
    DatabaseName: "pbright",
    TablePrefix: "raw_",
    Schedule: { ScheduleExpression: "cron(0 */6 * * ? *)" },
    RecrawlPolicy: { RecrawlBehavior: "CRAWL_EVERYTHING" },
    SchemaChangePolicy: { UpdateBehavior: "UPDATE_IN_DATABASE", DeleteBehavior: "LOG" },
    Targets: {
      S3Targets: ["salesforce-leads", "source_1", "source_2", "source_3"].map((source) => ({
        Path: `s3://pbright-prod-raw/${source}/`,
      })),
    },
    Configuration: Match.serializedJson({
      Version: 1,
      CreatePartitionIndex: false,
      CrawlerOutput: { Partitions: { AddOrUpdateBehavior: "InheritFromTable" }, Tables: { TableThreshold: 100 } },
    }),
  });
});

test("by events the crawler takes one folder and its queue, and finds each source one level below", () => {
  const { template } = synth({ ...prod, sources: ["lake/orders", "lake/users"], crawl: "events" });
  template.hasResourceProperties("AWS::Glue::Crawler", {
    RecrawlPolicy: { RecrawlBehavior: "CRAWL_EVENT_MODE" },
    Targets: { S3Targets: [{ Path: "s3://pbright-prod-raw/lake/", EventQueueArn: Match.anyValue() }] },
    Configuration: Match.serializedJson(Match.objectLike({ Grouping: { TableLevelConfiguration: 3 } })),
  });
  template.hasResourceProperties("AWS::S3::Bucket", {
    BucketName: "pbright-prod-raw",
    NotificationConfiguration: {
      TopicConfigurations: [
        Match.objectLike({
          Event: "s3:ObjectCreated:*",
          Filter: { S3Key: { Rules: [{ Name: "prefix", Value: "lake/" }] } },
        }),
      ],
    },
  });
});

test("the workgroup cuts queries off and does not enforce a place for output", () => {
  first().template.hasResourceProperties("AWS::Athena::WorkGroup", {
    Name: "pbright",
    WorkGroupConfiguration: {
      BytesScannedCutoffPerQuery: 100_000_000_000,
      EnforceWorkGroupConfiguration: false,
      PublishCloudWatchMetricsEnabled: true,
      ResultConfiguration: {
        OutputLocation: "s3://pbright-prod-results/queries/",
        EncryptionConfiguration: { EncryptionOption: "SSE_KMS" },
      },
    },
  });
});

test("the function is the built binary with its target's settings and its share of concurrency", () => {
  const { template } = first();
  template.hasResourceProperties("AWS::Lambda::Function", {
    FunctionName: "crawlguard-pbright-prod",
    Runtime: "provided.al2023",
    Handler: "bootstrap",
    Architectures: ["arm64"],
    MemorySize: 512,
    ReservedConcurrentExecutions: 5,
    Environment: {
      Variables: { CRAWLGUARD_TARGET: "prod", CRAWLGUARD_PROJECT: "s3://pbright-prod-state/crawlguard/project.json" },
    },
  });
  template.hasResourceProperties("AWS::Logs::LogGroup", {
    LogGroupName: "/aws/lambda/crawlguard-pbright-prod",
    RetentionInDays: 90,
  });
  template.hasResourceProperties("AWS::Lambda::EventInvokeConfig", {
    DestinationConfig: { OnFailure: { Destination: Match.anyValue() } },
  });
});

const TRIGGERS: [string, object, unknown][] = [
  [
    "crawled",
    {
      EventPattern: {
        source: ["aws.glue"],
        "detail-type": ["Glue Crawler State Change"],
        detail: { crawlerName: ["pbright-raw"], state: ["Succeeded", "Failed"] },
      },
    },
    undefined,
  ],
  [
    "queried",
    {
      EventPattern: {
        source: ["aws.athena"],
        "detail-type": ["Athena Query State Change"],
        detail: { workgroupName: ["pbright"], currentState: ["SUCCEEDED", "FAILED", "CANCELLED"] },
      },
    },
    undefined,
  ],
  [
    "daily",
    { ScheduleExpression: "cron(0 12 * * ? *)" },
    { InputPathsMap: { time: "$.time" }, InputTemplate: '{"command":"daily","time":<time>}' },
  ],
  ["sweep", { ScheduleExpression: "rate(5 minutes)" }, '{"command":"sweep"}'],
];

for (const [name, starts, input] of TRIGGERS) {
  test(`the rule ${name} starts the function, tries again and keeps what it cannot deliver`, () => {
    const { json, template } = first();
    template.hasResourceProperties("AWS::Events::Rule", {
      Name: `crawlguard-pbright-prod-${name}`,
      State: "ENABLED",
      ...starts,
    });
    const [, rule] = ofType(json, "AWS::Events::Rule").find(([, { Properties }]) => Properties.Name.endsWith(name))!;
    const [target] = rule.Properties.Targets;
    assert.deepEqual(target.InputTransformer ?? target.Input, input);
    assert.match(target.Arn["Fn::GetAtt"][0], /^PipelineGuardFunction/);
    assert.match(target.DeadLetterConfig.Arn["Fn::GetAtt"][0], /^PipelineDead/);
    assert.ok(target.RetryPolicy.MaximumRetryAttempts >= 1);
  });
}

test("alerts are mailed, encrypted, and published by this account alone", () => {
  const { json, template } = first();
  template.hasResourceProperties("AWS::SNS::Topic", {
    TopicName: "pbright-prod-alerts",
    KmsMasterKeyId: Match.anyValue(),
  });
  template.hasResourceProperties("AWS::SNS::Subscription", { Protocol: "email", Endpoint: "data@example.com" });
  const [[, policy]] = ofType(json, "AWS::SNS::TopicPolicy") as any;
  const allowed = policy.Properties.PolicyDocument.Statement.filter((statement: any) => statement.Effect === "Allow");
  for (const statement of allowed) {
    const isAccount = statement.Principal.AWS === "arn:aws:iam::123456789012:root";
    const isForAccount = statement.Condition?.StringEquals?.["aws:SourceAccount"] === "123456789012";
    assert.ok(isAccount || isForAccount, JSON.stringify(statement));
  }
});

test("the function gets the target's alerts, to keep as receipts, and may be called by that topic alone", () => {
  const { json, template } = first();
  template.hasResourceProperties("AWS::SNS::Subscription", {
    Protocol: "lambda",
    FilterPolicy: { project: ["pbright"], target: ["prod"], run_id: [{ exists: true }] },
  });
  const permissions = ofType(json, "AWS::Lambda::Permission").map(([, { Properties }]) => Properties);
  const [permission, ...others] = permissions.filter((it) => it.Principal === "sns.amazonaws.com");
  assert.match(permission!.SourceArn.Ref, /^AlertsTopic/);
  assert.deepEqual(others, []);
  const attributes = readFileSync(join(project.root, "src/notify/sns.rs"), "utf8");
  for (const name of ["project", "target", "run_id"]) assert.match(attributes, new RegExp(`\\("${name}", `));
});

test("without receipts nothing but people and alarms is at the topic", () => {
  const { json } = synth(prod, { receipts: false });
  const protocols = ofType(json, "AWS::SNS::Subscription").map(([, { Properties }]) => Properties.Protocol);
  assert.deepEqual(protocols, ["email"]);
});

test("arriving files start the function through a topic and a queue with its own dead letters", () => {
  const { json, template } = synth({ ...prod, arrivals: "on" });
  template.hasResourceProperties("AWS::SNS::Subscription", { Protocol: "sqs", RawMessageDelivery: true });
  template.hasResourceProperties("AWS::Lambda::EventSourceMapping", {
    FunctionResponseTypes: ["ReportBatchItemFailures"],
    MaximumBatchingWindowInSeconds: 60,
  });
  template.hasResourceProperties("AWS::SQS::Queue", { RedrivePolicy: { maxReceiveCount: 5 }, VisibilityTimeout: 780 });
  template.hasResourceProperties("AWS::CloudWatch::Alarm", { AlarmName: "crawlguard-pbright-prod-dead-arrivals" });
  assert.equal(ofType(json, "AWS::SQS::Queue").length, 3);
});

test("a raw bucket taken over may tell the topic made here, whose name is that of a stack removed before", () => {
  const named = (written: Written) => {
    const { json } = synth({ ...prod, arrivals: "on", ...written });
    const topic = ofType(json, "AWS::SNS::Topic").find(([id]) => id.startsWith("ArrivalsTopic"))!;
    const policy = ofType(json, "AWS::SNS::TopicPolicy").find(([id]) => id.startsWith("ArrivalsTopic"))![1];
    const publishes = policy.Properties.PolicyDocument.Statement.find((it: any) => it.Sid === "RawBucketPublishes");
    return {
      name: topic[1].Properties.TopicName,
      from: publishes.Condition.ArnEquals,
      told: json.Outputs.Arrived?.Value,
    };
  };
  const [made, taken] = [
    named({ ...prod, arrivals: "on" }),
    named({ ...prod, arrivals: "on", takeOver: ["rawBucket"] }),
  ];
  assert.deepEqual(
    [made.name, made.from, made.told],
    ["crawlguard-pbright-prod-arrivals", { "aws:SourceArn": "arn:aws:s3:::pbright-prod-raw" }, undefined],
  );
  assert.deepEqual([taken.name, taken.from], [made.name, made.from]);
  assert.match(taken.told.Ref, /^ArrivalsTopic/);
});

test("messages that the crawler could not take are told of, as those of the function's are", () => {
  const { json } = synth({ ...prod, crawl: "events", sources: ["lake/orders"] });
  const [, alarm] = ofType(json, "AWS::CloudWatch::Alarm").find(([, it]) =>
    it.Properties.AlarmName.endsWith("-dead-events"),
  )!;
  const queue = alarm.Properties.Dimensions[0].Value["Fn::GetAtt"][0];
  const [, crawled] = ofType(json, "AWS::SQS::Queue").find(([id]) => id.startsWith("CatalogEvents") && id !== queue)!;
  assert.deepEqual(crawled.Properties.RedrivePolicy.deadLetterTargetArn, { "Fn::GetAtt": [queue, "Arn"] });
  const [[, board]] = ofType(json, "AWS::CloudWatch::Dashboard") as any;
  assert.ok(JSON.stringify(board).includes(queue));
});

test("the alarm for missing runs goes by hours that have a number, and waits for them", () => {
  const { json } = synth({ ...prod, noRunHours: 80 });
  const of = (name: string) =>
    ofType(json, "AWS::CloudWatch::Alarm").find(([, it]) => it.Properties.AlarmName.endsWith(name))![1].Properties;
  const alarm = of("-no-run");
  assert.deepEqual(
    [alarm.EvaluationPeriods, alarm.Period, alarm.Threshold, alarm.ComparisonOperator, alarm.TreatMissingData],
    [80, 3600, 1, "LessThanThreshold", "ignore"],
  );
  const counted = ofType(json, "AWS::Logs::MetricFilter").map(([, it]) => it.Properties.MetricTransformations[0]);
  assert.equal(counted.find((it) => it.MetricName === "Runs").DefaultValue, 0);
  // A number an hour comes of the sweeps; whether those come is the other alarm's.
  const [, sweep] = ofType(json, "AWS::Events::Rule").find(([, it]) => it.Properties.Name.endsWith("-sweep"))!;
  assert.equal(sweep.Properties.ScheduleExpression, "rate(5 minutes)");
  const { Namespace, MetricName, TreatMissingData } = of("-not-started");
  assert.deepEqual([Namespace, MetricName, TreatMissingData], ["AWS/Lambda", "Invocations", "breaching"]);
});

test("each alarm mails, and the one for a function that nothing starts counts silence", () => {
  const { json } = first();
  const alarms: Record<string, any> = Object.fromEntries(
    ofType(json, "AWS::CloudWatch::Alarm").map(([, { Properties }]) => [
      Properties.AlarmName.split("prod-")[1],
      Properties,
    ]),
  );
  assert.deepEqual(Object.keys(alarms).sort(), [
    "dead-letters",
    "errors",
    "no-run",
    "not-started",
    "slow-run",
    "throttles",
  ]);
  for (const alarm of Object.values(alarms)) assert.match(JSON.stringify(alarm.AlarmActions), /AlertsTopic/);
  const silent = Object.entries(alarms).filter(([, alarm]) => alarm.TreatMissingData === "breaching");
  assert.deepEqual(
    silent.map(([name]) => name),
    ["not-started"],
  );
});

test("runs are counted by the lines that the function writes", () => {
  const log = readFileSync(join(project.root, "src/lambda/log.rs"), "utf8");
  const filters = ofType(first().json, "AWS::Logs::MetricFilter").map(([, { Properties }]) => Properties);
  const messages = filters.flatMap((it) =>
    [...it.FilterPattern.matchAll(/fields\.message = "([^"]+)"/g)].map((hit) => hit[1]),
  );
  assert.deepEqual([...new Set(messages)].sort(), ["run ended", "run open"]);
  for (const message of messages) assert.match(log, new RegExp(`info!\\([^)]*\\bseconds\\b.*"${message}"\\)`));
  assert.deepEqual(filters.map((it) => it.MetricTransformations[0].MetricValue).sort(), ["$.fields.seconds", "1"]);
});

test("files go where a source is crawled as one table, whether or not it shares its folder", () => {
  const told = (written: Partial<Written>) => {
    const { Outputs } = synth({ ...prod, ...written }).json;
    return Object.entries(Outputs).flatMap(([id, it]) =>
      /^Source\d/.test(id) ? [`${it.Description} ${it.Value}`] : [],
    );
  };
  const shared = ["New files go to s3://pbright-prod-raw/lake/SOURCE/dt=YYYY-MM-DD/"];
  assert.deepEqual(told({ crawl: "events", sources: ["lake/orders"] }), shared);
  assert.deepEqual(told({ crawl: "events", sources: ["lake/orders", "lake/users"] }), shared);
  assert.deepEqual(told({ sources: ["lake/orders", "users"] }), [
    "New files of lake/orders go to s3://pbright-prod-raw/lake/orders/dt=YYYY-MM-DD/",
    "New files of users go to s3://pbright-prod-raw/users/dt=YYYY-MM-DD/",
  ]);
});

test("doctor looks for every alarm and rule that is made", () => {
  const listed = (file: string, name: string) => {
    const rust = readFileSync(join(project.root, "src/cli/doctor", file), "utf8");
    return [...new RegExp(`const ${name}: [^=]*= \\[([^\\]]*)\\]`).exec(rust)![1]!.matchAll(/"([^"]+)"/g)].map(
      ([, it]) => it,
    );
  };
  const made = (json: any, type: string, key: string) =>
    ofType(json, type).map(([, it]) => it.Properties[key].replace("crawlguard-pbright-prod-", ""));
  const all = synth({ ...prod, arrivals: "on", crawl: "events", sources: ["lake/orders"] }).json;
  const [every, some] = [listed("wiring.rs", "EVERY"), listed("wiring.rs", "SOME")];
  assert.deepEqual(made(first().json, "AWS::CloudWatch::Alarm", "AlarmName").sort(), [...every].sort());
  assert.deepEqual(made(all, "AWS::CloudWatch::Alarm", "AlarmName").sort(), [...every, ...some].sort());
  const names = (written: Partial<Written>) => {
    const [is] = checkAll(project, { prod: { ...prod, ...written } }, NOW);
    return alarmNames(is!).map((name) => name.replace("crawlguard-pbright-prod-", ""));
  };
  assert.deepEqual(names({}).sort(), [...every].sort());
  assert.deepEqual(
    names({ arrivals: "on", crawl: "events", sources: ["lake/orders"] }).sort(),
    [...every, ...some].sort(),
  );
  assert.deepEqual(made(all, "AWS::Events::Rule", "Name").sort(), listed("stack.rs", "BY_RULE").sort());
});

test("the project is deployed last of all, whatever is set", () => {
  const every = synth({ ...prod, arrivals: "on", crawl: "events", sources: ["lake/a"], lakeFormation: true }).json;
  for (const json of [first().json, every]) {
    const [[id, custom]] = ofType(json, "Custom::CrawlguardProject") as any;
    const before = new Set(custom.DependsOn);
    assert.deepEqual(
      Object.keys(json.Resources).filter((name) => !name.startsWith("Deployment") && !before.has(name)),
      [],
    );
    assert.match(id, /^Deployment/);
  }
});
