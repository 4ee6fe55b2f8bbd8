import { Duration } from "aws-cdk-lib";
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type BucketProps,
  type CfnBucket,
  type LifecycleRule,
  type IBucket,
} from "aws-cdk-lib/aws-s3";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import { argued } from "./argued.ts";
import type { At, Folder } from "./at.ts";
import type { Keys } from "./keys.ts";
import { holdsData } from "./removal.ts";
import { rawFolders } from "./sources.ts";

/** Raw files, published tables, query results and state: a bucket each, made here or taken over. */
export class Buckets extends Construct {
  readonly raw: IBucket;
  readonly warehouse: IBucket;
  readonly results: IBucket;
  readonly state: IBucket;

  constructor(scope: Construct, id: string, at: At, keys: Keys, arrivals: ITopic | undefined) {
    super(scope, id);
    const { settings } = at;
    const old: LifecycleRule = {
      id: "old-versions",
      noncurrentVersionExpiration: Duration.days(settings.oldVersionDays),
    };
    const bucket = (id: string, name: string, isMade: boolean, props: BucketProps) =>
      isMade ? this.make(at, keys, id, name, props) : Bucket.fromBucketName(this, id, name);

    this.raw = bucket("Raw", settings.rawBucket, at.makes("rawBucket"), {
      versioned: true,
      lifecycleRules: [unfinished, old],
    });
    // crawlguard itself removes builds that nothing reads; the files of a published table never change.
    this.warehouse = bucket("Warehouse", at.warehouse.bucket, at.makes("warehouse"), { lifecycleRules: [unfinished] });
    this.results = bucket("Results", at.results.bucket, at.makes("results"), {
      lifecycleRules: [unfinished, ...resultRules(settings.resultDays)],
    });
    this.state = bucket("State", at.state.bucket, at.makes("state"), {
      versioned: true,
      lifecycleRules: [unfinished, old],
    });
    if (arrivals && at.makes("rawBucket")) this.notify(arrivals, rawFolders(settings));
  }

  private make(at: At, keys: Keys, id: string, name: string, props: BucketProps): Bucket {
    const { accessLogBucket } = at.settings;
    const made = new Bucket(this, id, {
      bucketName: name,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      encryption: keys.own ? BucketEncryption.KMS : BucketEncryption.S3_MANAGED,
      encryptionKey: keys.own,
      bucketKeyEnabled: keys.own !== undefined,
      serverAccessLogsBucket:
        accessLogBucket === null ? undefined : Bucket.fromBucketName(this, `Logs of ${name}`, accessLogBucket),
      serverAccessLogsPrefix: accessLogBucket === null ? undefined : `${name}/`,
      ...props,
    });
    holdsData(made, at);
    if (accessLogBucket === null)
      argued(made, "S1", "Access logs need a bucket that is the account's to name: the setting accessLogBucket");
    return made;
  }

  /** S3 tells of new objects of the sources. Set on the bucket itself: CDK's own way is a function that may change any bucket. */
  private notify(topic: ITopic, folders: Folder[]) {
    const raw = this.raw.node.defaultChild as CfnBucket;
    raw.notificationConfiguration = {
      topicConfigurations: folders.map(({ prefix }) => ({
        event: "s3:ObjectCreated:*",
        topic: topic.topicArn,
        filter: { s3Key: { rules: [{ name: "prefix", value: prefix }] } },
      })),
    };
    // S3 tries the topic before it takes the configuration.
    raw.node.addDependency(topic);
  }
}

const resultRules = (days: number | null): LifecycleRule[] =>
  days === null ? [] : [{ id: "results", expiration: Duration.days(days) }];

const unfinished: LifecycleRule = { id: "unfinished-uploads", abortIncompleteMultipartUploadAfter: Duration.days(7) };
