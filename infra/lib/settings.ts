/** Resources that exist before this app does, and are used by name instead of made. */
export type Existing = "rawBucket" | "warehouse" | "results" | "state" | "database" | "crawler" | "workgroup" | "topic";

/**
 * What a target needs beside the names that stand in `crawlguard.toml`.
 *
 * Each comment is that setting's line in docs/deploy.md.
 */
export interface Settings {
  /** Addresses that alerts and alarms are mailed to; each has to confirm. */
  emails: string[];
  /** The bucket that files arrive in. */
  rawBucket: string;
  /** Folders of `rawBucket`, one a source; the crawler makes one table of each. Of more than 40 that share a parent folder the roles may read all of that. */
  sources: string[];
  /** What exists already and is used by name instead of made: `rawBucket`, `warehouse`, `results`, `state`, `database`, `crawler`, `workgroup`, `topic`. */
  takeOver: Existing[];
  /** The KMS key of buckets and alerts: `create`, `none` (S3's own encryption; alerts are not encrypted at rest), or the ARN of a key of the same region, whose policy has [what follows](#a-key-of-your-own). */
  key: string;
  /** ARNs of the keys that encrypt buckets taken over, or the bucket that CDK puts what it deploys in, if that has a key of your own; the roles get to use them. */
  otherKeys: string[];
  /** The ARN of the key that encrypts the account's Glue Data Catalog; function and crawler get to use it. null: none does, or a role that Glue takes for it. */
  catalogKey: string | null;
  /** How the crawler learns of files: `schedule` lists every source each time, `events` only folders that S3 told of. By events Glue takes one folder: the one that all sources share, in which each folder becomes a table and is read, so nothing else may lie there. */
  crawl: "schedule" | "events";
  /** When the crawler runs, in UTC; Glue knows no `#`, and starts no crawl within 5 minutes of another. */
  crawlSchedule: string;
  /** A crawl that finds more tables than this fails and writes nothing. */
  tableThreshold: number;
  /** A CSV classifier for files whose header Glue does not recognise by itself (all columns text); null: Glue's own. For [files that quote](#files-that-quote) it takes a command more. */
  csvClassifier: { delimiter: string; quote: string } | null;
  /** When the daily build runs, in UTC, whether or not a crawl came. */
  dailySchedule: string;
  /** Minutes between sweeps, which pick up what a lost event left; at most 60, since alarms hear by them that the function is alive. */
  sweepMinutes: number;
  /** Start on arriving files, by S3 → SNS → SQS → Lambda: `off`, `on`, or the ARN of a topic that a bucket taken over already notifies. With `on` a bucket taken over has to be told of the topic: [below](#files-that-start-a-crawl). */
  arrivals: string;
  /** What the function is made of: `zip`, or a container `image`. */
  code: "zip" | "image";
  /** The processor that the function was built for. */
  architecture: "arm64" | "x86_64";
  /** The function's memory, in MB. */
  memoryMb: number;
  /** The longest that one invocation may take, in seconds; an ordinary one takes less than 1. */
  timeoutSeconds: number;
  /** Invocations at once; 0 reserves none, for accounts whose quota is too small to reserve from. */
  reservedConcurrency: number;
  /** Days that the function's log is kept. */
  logDays: number;
  /** Bytes that one Athena query may scan before it is cut off; at least 10000000. */
  bytesCutoff: number;
  /** Days after which query results are removed; null: never, which is the default where `workgroup` is taken over: one that enforces its output has published tables among the results. */
  resultDays: number | null;
  /** Days that overwritten and deleted objects of the raw and state buckets can still be got back. */
  oldVersionDays: number;
  /** A bucket of the same region that takes S3's access logs of the buckets made here, and whose policy lets `logging.s3.amazonaws.com` write them; null: none are written. */
  accessLogBucket: string | null;
  /** Hours without a run that ended which raise the alarm, up to 168; more than the longest pause that crawls and daily builds leave, such as a weekend. */
  noRunHours: number;
  /** Minutes after which a run counts as slow. */
  slowRunMinutes: number;
  /** Throttled invocations an hour that raise the alarm. */
  throttlesAnHour: number;
  /** Where people read docs/, an https URL that ends with a slash; each alarm links to its page there. null: it names the page's path. */
  docsUrl: string | null;
  /** Grants by Lake Formation too, for accounts where IAM alone no longer opens the catalog. What is made here is registered; of a bucket taken over its owner does that. */
  lakeFormation: boolean;
  /** What `cdk destroy` does to buckets, database, topic and key: `keep`, or `delete` (buckets have to be empty), for a target that is thrown away. A deployment that replaces one leaves the old one, whatever is set here. */
  onDestroy: "keep" | "delete";
}

/** Settings that have no default. */
type Required = "emails" | "rawBucket" | "sources";

/** Settings as they are written in settings.ts. */
export type Written = Pick<Settings, Required> & Partial<Omit<Settings, Required>>;

export const defaults: Omit<Settings, Required> = {
  takeOver: [],
  key: "create",
  otherKeys: [],
  catalogKey: null,
  crawl: "schedule",
  crawlSchedule: "cron(0 */6 * * ? *)",
  tableThreshold: 100,
  csvClassifier: null,
  dailySchedule: "cron(0 12 * * ? *)",
  sweepMinutes: 5,
  arrivals: "off",
  code: "zip",
  architecture: "arm64",
  memoryMb: 512,
  timeoutSeconds: 120,
  reservedConcurrency: 5,
  logDays: 90,
  bytesCutoff: 100_000_000_000,
  resultDays: 7,
  oldVersionDays: 90,
  accessLogBucket: null,
  noRunHours: 26,
  slowRunMinutes: 60,
  throttlesAnHour: 20,
  docsUrl: null,
  lakeFormation: false,
  onDestroy: "keep",
};
