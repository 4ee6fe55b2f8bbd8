import { cronProblem } from "./cron.ts";
import { folderOf, type Target } from "./project.ts";
import { defaults, type Existing, type Settings, type Written } from "./settings.ts";

/** All that is wrong with the settings of a target, each with the setting's name. */
export class SettingsError extends Error {
  readonly problems: string[];

  constructor(problems: string[]) {
    super(`${problems.length} setting(s) to mend:\n${problems.map((problem) => `- ${problem}`).join("\n")}`);
    this.name = "SettingsError";
    this.problems = problems;
  }
}

const EXISTING: Existing[] = ["rawBucket", "warehouse", "results", "state", "database", "crawler", "workgroup", "topic"];
/** What CloudWatch takes. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const LOG_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
const KEY_ARN = /^arn:aws[\w-]*:kms:[\w-]+:\d{12}:key\/[\w-]+$/;
const TOPIC_ARN = /^arn:aws[\w-]*:sns:([\w-]+):(\d{12}):([\w-]{1,256})$/;

/** A target whose names are all there. */
export type Complete = Target & Required<Pick<Target, "account" | "region" | "crawler" | "results">>;

/** Settings with their defaults, and the target they belong to; throws all that is wrong at once. */
export function check(name: string, target: Target | undefined, written: Written, now: Date): { target: Complete; settings: Settings } {
  const settings: Settings = { ...defaults, ...written };
  if (!target) throw new SettingsError([`settings.ts ${name}: crawlguard.toml has no [targets.${name}] with kind = "aws"`]);
  const problems = [
    ...targetProblems(target, settings).map((problem) => `crawlguard.toml targets.${name}.${problem}`),
    ...[...unknown(written), ...valueProblems(settings), ...scheduleProblems(settings, now), ...bucketProblems(target, settings)].map(
      (problem) => `settings.ts ${name}.${problem}`,
    ),
  ];
  if (problems.length > 0) throw new SettingsError(problems);
  return { target: target as Complete, settings };
}

function targetProblems(target: Target, settings: Settings): string[] {
  const topic = TOPIC_ARN.exec(target.topic ?? "");
  const isTopicHere = topic?.[1] === target.region && topic?.[2] === target.account;
  return found([
    [!/^\d{12}$/.test(target.account ?? ""), `account: ${shown(target.account)}; write the twelve digits, in quotes`],
    [!/^[a-z]{2}(-[a-z]+)+-\d$/.test(target.region ?? ""), `region: ${shown(target.region)}; write one, such as "us-east-1"`],
    [!/^[a-z0-9_]{1,255}$/.test(target.database ?? ""), `database: ${shown(target.database)}; Athena takes lower-case letters, digits and _`],
    [!target.crawler, "crawler: not set; its events start the comparison"],
    [!/^[\w.-]{1,128}$/.test(target.workgroup), `workgroup: ${shown(target.workgroup)}; letters, digits, _ . and -, up to 128`],
    [
      target.workgroup === "primary" && !settings.takeOver.includes("workgroup"),
      'workgroup: "primary" is every account\'s own; name another, or take it over',
    ],
    ...(["warehouse", "state", "results"] as const).map((setting): [boolean, string] => [
      !/^s3:\/\/[^/]+\/(.+\/)?$/.test(target[setting] ?? ""),
      `${setting}: ${shown(target[setting])}; write it as "s3://bucket/prefix/"`,
    ]),
    [!topic, `topic: ${shown(target.topic)}; write it as "arn:aws:sns:region:account:name"`],
    [
      topic !== null && !isTopicHere && !settings.takeOver.includes("topic"),
      "topic: its account and region are not the target's; a topic made here is, another one has to be taken over",
    ],
  ]);
}

function unknown(written: Written): string[] {
  const known = new Set([...Object.keys(defaults), "emails", "rawBucket", "sources"]);
  return Object.keys(written)
    .filter((name) => !known.has(name))
    .map((name) => `${name}: there is no such setting`);
}

function valueProblems(settings: Settings): string[] {
  const parents = new Set(settings.sources.map((source) => source.split("/").slice(0, -1).join("/")));
  return found([
    [settings.emails.length === 0 && !settings.takeOver.includes("topic"), "emails: empty; nobody would hear of an alert"],
    ...settings.emails.map((email): [boolean, string] => [!isEmail(email), `emails: ${shown(email)} is no email address`]),
    [settings.sources.length === 0, "sources: empty; there would be nothing to crawl"],
    ...settings.sources.map((source): [boolean, string] => [
      !/^[\w!.*'()-]+(\/[\w!.*'()-]+)*$/.test(source),
      `sources: ${shown(source)}; write a folder without slashes around it, such as "orders"`,
    ]),
    ...repeated(settings.sources.map(tableName)).map((table): [boolean, string] => [true, `sources: two of them would become the table \`${table}\``]),
    ...settings.takeOver.map((name): [boolean, string] => [!EXISTING.includes(name), `takeOver: ${shown(name)}; it takes ${EXISTING.join(", ")}`]),
    [!["create", "none"].includes(settings.key) && !KEY_ARN.test(settings.key), `key: ${shown(settings.key)}; "create", "none" or a key's ARN`],
    ...settings.otherKeys.map((key): [boolean, string] => [!KEY_ARN.test(key), `otherKeys: ${shown(key)} is no key's ARN`]),
    [!["off", "on"].includes(settings.arrivals) && !TOPIC_ARN.test(settings.arrivals), `arrivals: ${shown(settings.arrivals)}; "off", "on" or a topic's ARN`],
    [
      settings.takeOver.includes("rawBucket") && (settings.arrivals === "on" || (settings.crawl === "events" && settings.arrivals === "off")),
      `${settings.arrivals === "on" ? "arrivals" : "crawl"}: a bucket taken over has its own notifications; have it notify a topic, and set arrivals to the topic's ARN`,
    ],
    [
      settings.crawl === "events" && (parents.size > 1 || parents.has("")),
      "crawl: Glue crawls one folder by events; put all sources into one, such as \"lake/orders\" and \"lake/users\"",
    ],
    [settings.crawl === "events" && settings.takeOver.includes("crawler"), "crawl: a crawler taken over keeps its own way"],
    ...oneOf(settings, "crawl", ["schedule", "events"]),
    ...oneOf(settings, "code", ["zip", "image"]),
    ...oneOf(settings, "architecture", ["arm64", "x86_64"]),
    ...oneOf(settings, "onDestroy", ["keep", "delete"]),
    ...oneOf(settings, "logDays", LOG_DAYS),
    ...whole(settings, "tableThreshold", Math.max(1, settings.sources.length), 200_000),
    ...whole(settings, "sweepMinutes", 1, 1440),
    ...whole(settings, "memoryMb", 128, 10_240),
    ...whole(settings, "timeoutSeconds", 1, 900),
    ...whole(settings, "reservedConcurrency", 0, 1000),
    ...whole(settings, "bytesCutoff", 10_000_000, 7_000_000_000_000_000),
    ...whole(settings, "resultDays", 1, 3650),
    ...whole(settings, "oldVersionDays", 1, 3650),
    ...whole(settings, "slowRunMinutes", 1, 1440),
    ...whole(settings, "throttlesAnHour", 1, 100_000),
    [settings.csvClassifier !== null && settings.csvClassifier.delimiter.length !== 1, "csvClassifier: its delimiter is one character"],
    [settings.csvClassifier !== null && settings.csvClassifier.quote.length !== 1, "csvClassifier: its quote is one character"],
    [
      settings.csvClassifier !== null && settings.csvClassifier.quote === settings.csvClassifier.delimiter,
      "csvClassifier: its quote is its delimiter",
    ],
  ]);
}

function scheduleProblems(settings: Settings, now: Date): string[] {
  return (["crawlSchedule", "dailySchedule"] as const).flatMap((name) => {
    const problem = cronProblem(settings[name], now.getUTCFullYear());
    return problem ? [`${name}: ${shown(settings[name])}; ${problem}`] : [];
  });
}

function bucketProblems(target: Target, settings: Settings): string[] {
  const buckets = { rawBucket: settings.rawBucket, warehouse: bucketOf(target.warehouse), results: bucketOf(target.results), state: bucketOf(target.state) };
  const made = Object.entries(buckets).filter(([name]) => !settings.takeOver.includes(name as Existing));
  const names = Object.values(buckets);
  return [
    ...Object.entries(buckets).flatMap(([name, bucket]) => {
      const problem = bucketNameProblem(bucket);
      return problem ? [`${name}: ${shown(bucket)}; ${problem}`] : [];
    }),
    ...made.filter(([, bucket]) => names.filter((name) => name === bucket).length > 1).map(([name, bucket]) => `${name}: ${shown(bucket)} is another setting's bucket too; only buckets taken over may be shared`),
    ...(settings.accessLogBucket !== null && bucketNameProblem(settings.accessLogBucket) ? [`accessLogBucket: ${shown(settings.accessLogBucket)} is no bucket's name`] : []),
  ];
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html; dots are refused too: they break TLS by host name. */
function bucketNameProblem(name: string): string | undefined {
  if (name.length < 3 || name.length > 63) return "a bucket's name has 3 to 63 characters";
  if (!/^[a-z0-9][a-z0-9-]*[a-z0-9]$/.test(name)) return "a bucket's name has lower-case letters, digits and -, and begins and ends with a letter or digit";
  const reserved = /^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|--x-s3|--table-s3)$/.exec(name);
  return reserved ? `S3 keeps \`${reserved[0]}\` for itself` : undefined;
}

const bucketOf = (uri: string | undefined) => folderOf(uri ?? "").bucket;

/** The crawler's name for a folder's table, without the prefix. */
const tableName = (source: string) => source.split("/").at(-1)!.toLowerCase().replace(/[^a-z0-9_]/g, "_");

const repeated = (names: string[]) => [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];

/** What SNS takes: one @, a name before it, a host with a dot after it. */
const isEmail = (text: string) => /^[^\s@<>,;"]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/i.test(text);

const shown = (value: unknown) => (value === undefined ? "not set" : JSON.stringify(value));

const found = (conditions: [boolean, string][]) => conditions.filter(([isWrong]) => isWrong).map(([, problem]) => problem);

const oneOf = (settings: Settings, name: keyof Settings, allowed: unknown[]): [boolean, string][] => [
  [!allowed.includes(settings[name]), `${name}: ${shown(settings[name])}; it takes ${allowed.join(", ")}`],
];

const whole = (settings: Settings, name: keyof Settings, least: number, most: number): [boolean, string][] => {
  const value = settings[name] as number;
  return [[!Number.isInteger(value) || value < least || value > most, `${name}: ${shown(value)}; a whole number from ${least} to ${most}`]];
};
