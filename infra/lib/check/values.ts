import { cronProblem, glueProblem } from "../cron.ts";
import type { Existing, Settings } from "../settings.ts";
import { parentOf } from "../sources.ts";
import { type Findings, shown } from "./findings.ts";
import { QUEUE_TAKES } from "../arrivals.ts";
import { TOPIC_ARN } from "./target.ts";

const KEY_ARN = /^arn:aws[\w-]*:kms:[\w-]+:\d{12}:key\/[\w-]+$/;
/** One @, a name before it, a host with a dot after it. */
const EMAIL = /^[^\s@<>,;:()[\]\\"]{1,64}@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}$/i;
const isEmail = (text: string) => EMAIL.test(text) && !/^\.|\.\.|\.@/.test(text) && text.length <= 254;

const EXISTING: Existing[] = [
  "rawBucket",
  "warehouse",
  "results",
  "state",
  "database",
  "crawler",
  "workgroup",
  "topic",
];

/** CloudWatch's: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const LOG_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

const CHOICES: Partial<Record<keyof Settings, unknown[]>> = {
  crawl: ["schedule", "events"],
  code: ["zip", "image"],
  architecture: ["arm64", "x86_64"],
  onDestroy: ["keep", "delete"],
  logDays: LOG_DAYS,
};

/** Least and greatest of what is a whole number. */
const RANGES: Partial<Record<keyof Settings, [number, number]>> = {
  tableThreshold: [1, 200_000],
  sweepMinutes: [1, 60],
  memoryMb: [128, 10_240],
  timeoutSeconds: [1, 900],
  reservedConcurrency: [0, 1000],
  bytesCutoff: [10_000_000, 7_000_000_000_000_000],
  resultDays: [1, 3650],
  oldVersionDays: [1, 3650],
  // CloudWatch looks back seven days. https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
  noRunHours: [1, 168],
  slowRunMinutes: [1, 1440],
  throttlesAnHour: [1, 100_000],
};

/** Each setting by itself, and those that do not go together. */
export function checkValues(settings: Settings, now: Date, into: Findings) {
  checkRecipients(settings, into);
  checkKeys(settings, into);
  checkCrawl(settings, into);
  checkSchedules(settings, now, into);
  const isUrl = settings.docsUrl === null || /^https:\/\/[^\s/]+\/(\S*\/)?$/.test(settings.docsUrl);
  into.refuse(!isUrl, "docsUrl", `${shown(settings.docsUrl)}; an https URL that ends with a slash`);
  for (const [name, allowed] of Object.entries(CHOICES)) {
    const value = settings[name as keyof Settings];
    into.refuse(!allowed.includes(value), name, `${shown(value)}; it takes ${allowed.join(", ")}`);
  }
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    const value = settings[name as keyof Settings] as number | null;
    if (value === null) continue;
    const isIn = Number.isInteger(value) && value >= least && value <= most;
    into.refuse(!isIn, name, `${shown(value)}; a whole number from ${least} to ${most}`);
  }
}

function checkRecipients({ emails, takeOver }: Settings, into: Findings) {
  into.refuse(emails.length === 0 && !takeOver.includes("topic"), "emails", "empty; nobody would hear of an alert");
  for (const email of emails) into.refuse(!isEmail(email), "emails", `${shown(email)} is no email address`);
  const twice = emails.find((email, index) => emails.indexOf(email) !== index);
  into.refuse(twice !== undefined, "emails", `${shown(twice)} is there twice`);
}

function checkKeys({ catalogKey, key, otherKeys, takeOver }: Settings, into: Findings) {
  const isKey = ["create", "none"].includes(key) || KEY_ARN.test(key);
  into.refuse(!isKey, "key", `${shown(key)}; "create", "none" or a key's ARN`);
  for (const other of otherKeys) into.refuse(!KEY_ARN.test(other), "otherKeys", `${shown(other)} is no key's ARN`);
  const isCatalogs = catalogKey === null || KEY_ARN.test(catalogKey);
  into.refuse(!isCatalogs, "catalogKey", `${shown(catalogKey)} is no key's ARN`);
  for (const name of takeOver) {
    into.refuse(takeOver.indexOf(name) !== takeOver.lastIndexOf(name), "takeOver", `${shown(name)} is there twice`);
    into.refuse(!EXISTING.includes(name), "takeOver", `${shown(name)}; it takes ${EXISTING.join(", ")}`);
  }
}

function checkCrawl(settings: Settings, into: Findings) {
  const { arrivals, crawl, csvClassifier, sources, tableThreshold, takeOver } = settings;
  const isArrivals = ["off", "on"].includes(arrivals) || TOPIC_ARN.test(arrivals);
  into.refuse(!isArrivals, "arrivals", `${shown(arrivals)}; "off", "on" or a topic's ARN`);
  const isFew = arrivals !== "off" && settings.reservedConcurrency > 0 && settings.reservedConcurrency < QUEUE_TAKES;
  const takes = `${settings.reservedConcurrency}, and the queue of arrivals alone takes ${QUEUE_TAKES}`;
  into.refuse(isFew, "reservedConcurrency", takes);
  const isOneFolder = parentOf(sources) !== "";
  const folder = 'Glue crawls one folder by events; put all sources into one, such as "lake/orders" and "lake/users"';
  into.refuse(crawl === "events" && !isOneFolder, "crawl", folder);
  into.refuse(crawl === "events" && takeOver.includes("crawler"), "crawl", "a crawler taken over keeps its own way");
  const isEnough = tableThreshold >= sources.length;
  into.refuse(!isEnough, "tableThreshold", `${tableThreshold} for ${sources.length} sources; each is a table`);
  if (csvClassifier === null) return;
  const { delimiter, quote } = csvClassifier;
  const isOne = (it: string) => it.length === 1 && !/[\r\n]/.test(it);
  const isCsv = isOne(delimiter) && isOne(quote) && delimiter !== quote;
  into.refuse(!isCsv, "csvClassifier", `${shown(csvClassifier)}; two characters that differ, and end no line`);
}

function checkSchedules(settings: Settings, now: Date, into: Findings) {
  for (const name of ["crawlSchedule", "dailySchedule"] as const) {
    const problem = cronProblem(settings[name], now);
    into.refuse(problem !== undefined, name, `${shown(settings[name])}; ${problem}`);
  }
  const problem = glueProblem(settings.crawlSchedule);
  into.refuse(problem !== undefined, "crawlSchedule", `${shown(settings.crawlSchedule)}; ${problem}`);
}
