import { RegionInfo } from "aws-cdk-lib/region-info";
import type { Target } from "../project.ts";
import type { Settings } from "../settings.ts";
import { type Findings, shown } from "./findings.ts";

/** https://docs.aws.amazon.com/glue/latest/webapi/API_CreateCrawler.html */
const LONGEST_CRAWLER = 255;

export const TOPIC_ARN = /^arn:aws[\w-]*:sns:([\w-]+):(\d{12}):([\w-]{1,256})$/;

const NAMES = [
  "account",
  "region",
  "database",
  "raw",
  "crawler",
  "raw_prefix",
  "workgroup",
  "warehouse",
  "state",
  "results",
  "topic",
] as const satisfies (keyof Target)[];

/** Whether each name is a text: TOML has numbers too, and an account looks like one. */
export function areNames(target: Target, into: Findings): boolean {
  const others = NAMES.filter((name) => target[name] !== undefined && typeof target[name] !== "string");
  for (const name of others) into.refuse(true, name, `${shown(target[name])} is no text; write it in quotes`);
  return others.length === 0;
}

/** The names in `crawlguard.toml`, as far as this app makes something of them. */
export function checkTarget(target: Target, settings: Settings, into: Findings, inSettings: Findings) {
  const { account, region, database, crawler, workgroup } = target;
  const makes = (name: Settings["takeOver"][number]) => !settings.takeOver.includes(name);
  const digits = "write the twelve digits, in quotes";
  into.refuse(!/^\d{12}$/.test(account ?? ""), "account", `${shown(account)}; ${digits}`);
  const isRegion = RegionInfo.regions.some(({ name }) => name === region);
  const known = region === undefined ? "" : " is none that this CDK knows";
  into.refuse(!isRegion, "region", `${shown(region)}${known}; write one, such as "us-east-1"`);
  const guards = 'an empty prefix would guard the published tables too; the crawler\'s, such as "raw_"';
  into.refuse(target.raw_prefix === "", "raw_prefix", guards);
  const isPrefix = /^([a-z][a-z0-9_]*)?$/.test(target.raw_prefix);
  const small = `${shown(target.raw_prefix)}; Glue's tables have lower-case letters, digits and _, and it begins with a letter`;
  into.refuse(!isPrefix, "raw_prefix", small);
  const isDatabase = /^[a-z0-9_]{1,255}$/.test(database ?? "");
  const letters = "Athena takes lower-case letters, digits and _";
  into.refuse(!database || (makes("database") && !isDatabase), "database", `${shown(database)}; ${letters}`);
  into.refuse(!crawler, "crawler", "not set; its events start the comparison");
  const isLong = (crawler ?? "").length > LONGEST_CRAWLER;
  into.refuse(isLong, "crawler", `longer than ${LONGEST_CRAWLER} characters`);
  const isWorkgroup = /^[\w.-]{1,128}$/.test(workgroup);
  into.refuse(!isWorkgroup, "workgroup", `${shown(workgroup)}; letters, digits, _ . and -, up to 128`);
  const isPrimary = workgroup === "primary" && makes("workgroup");
  into.refuse(isPrimary, "workgroup", '"primary" is in every account already; name another, or take it over');
  checkTopic(target, makes("topic"), into);
  checkRegions(target, settings, inSettings);
}

/** S3 and SNS use a key of their own region, and S3 tells a topic of its own region. */
function checkRegions({ region }: Target, settings: Settings, into: Findings) {
  const { arrivals, catalogKey, key, otherKeys, takeOver } = settings;
  const elsewhere = (arn: string) => arn.startsWith("arn:") && arn.split(":")[3] !== region;
  into.refuse(elsewhere(key), "key", `${shown(key)} is not of the target's region ${shown(region)}`);
  const isCatalogs = catalogKey === null || !elsewhere(catalogKey);
  into.refuse(!isCatalogs, "catalogKey", `${shown(catalogKey)} is not of the target's region ${shown(region)}`);
  for (const other of otherKeys) {
    into.refuse(elsewhere(other), "otherKeys", `${shown(other)} is not of the target's region ${shown(region)}`);
  }
  const isTold = !takeOver.includes("rawBucket") && elsewhere(arrivals);
  into.refuse(isTold, "arrivals", `${shown(arrivals)} is not of the region of \`rawBucket\`, ${shown(region)}`);
}

function checkTopic({ account, region, topic }: Target, isMade: boolean, into: Findings) {
  const arn = TOPIC_ARN.exec(topic ?? "");
  into.refuse(!arn, "topic", `${shown(topic)}; write it as "arn:aws:sns:region:account:name"`);
  if (arn === null) return;
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
  into.refuse(
    region !== undefined && arn[1] !== region,
    "topic",
    `its region is not the target's, ${shown(region)}; alarms reach no other`,
  );
  const isElsewhere = isMade && arn[1] === region && arn[2] !== account;
  into.refuse(isElsewhere, "topic", "its account is not the target's; a topic there has to be taken over");
}
