import { alarmNames } from "../alarms.ts";
import type { At } from "../at.ts";
import type { Publisher } from "../keys.ts";

/** Who asks for something, and what conditions may ask of each of its calls: values by key, in lower case. */
export interface Caller {
  principal: string;
  calls: Record<string, string>[];
}

/** A service that acts for the target's account: for alarms, or for buckets. */
export function service(is: At, principal: Publisher | "logging.s3.amazonaws.com"): Caller {
  const { account, region, topic } = is.target;
  const partition = topic.split(":")[1];
  const buckets = principal === "s3.amazonaws.com" ? [is.settings.rawBucket] : madeBuckets(is);
  const isAlarm = principal === "cloudwatch.amazonaws.com";
  const sources = isAlarm
    ? alarmNames(is).map((name) => `arn:${partition}:cloudwatch:${region}:${account}:alarm:${name}`)
    : buckets.map((bucket) => `arn:${partition}:s3:::${bucket}`);
  // SNS's own policy is for the owner, and for the alarms of the owner's account.
  const owner: Record<string, string> = isAlarm ? { "aws:sourceowner": account } : {};
  return {
    principal,
    calls: sources.map((source) => ({ ...owner, "aws:sourcearn": source, "aws:sourceaccount": account })),
  };
}

/** A role, or the account itself, by the name that policies have for it. */
export const role = (account: string, principal: string): Caller => ({
  principal,
  calls: [{ "aws:principalarn": principal, "kms:calleraccount": account }],
});

/** Buckets whose accesses S3 logs. */
function madeBuckets({ settings, warehouse, results, state, makes }: At): string[] {
  const buckets = {
    rawBucket: settings.rawBucket,
    warehouse: warehouse.bucket,
    results: results.bucket,
    state: state.bucket,
  };
  const names = ["rawBucket", "warehouse", "results", "state"] as const;
  return names.filter(makes).map((name) => buckets[name]);
}
