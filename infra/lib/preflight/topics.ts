import { arrivalsArn, listens } from "../arrivals.ts";
import type { At } from "../at.ts";
import { shown } from "../check/findings.ts";
import type { Publisher } from "../keys.ts";
import { rawFolders } from "../sources.ts";
import { type Aws, type Into, json } from "./ask.ts";
import { checkKey, checkOpened } from "./key.ts";
import { service } from "./callers.ts";
import { lets, policyIn } from "./policy.ts";

/** Topics taken over: that the services which tell them may; and that the raw bucket, if taken over, does tell. */
export function checkTopics(is: At, ownKey: string | undefined, aws: Aws, into: Into): string[] {
  const { settings, target } = is;
  const isArrivalsTaken = settings.arrivals.startsWith("arn:");
  return [
    ...(is.makes("topic") ? [] : checkTopic(is, ownKey, "topic", target.topic, "cloudwatch.amazonaws.com", aws, into)),
    ...(isArrivalsTaken ? checkTopic(is, ownKey, "arrivals", settings.arrivals, "s3.amazonaws.com", aws, into) : []),
    ...(listens(is) && !is.makes("rawBucket") ? checkTold(is, aws) : []),
  ];
}

function checkTopic(
  is: At,
  ownKey: string | undefined,
  setting: "topic" | "arrivals",
  arn: string,
  who: Publisher,
  aws: Aws,
  into: Into,
): string[] {
  const findings = setting === "topic" ? into.target : into.settings;
  const { account } = is.target;
  const asked = aws("sns", "get-topic-attributes", "--topic-arn", arn);
  const isAbsent = /NotFound|does not exist/.test(asked.stderr);
  // That the topic of alerts is not there is said with the other names.
  findings.refuse(isAbsent && setting === "arrivals", setting, `${arn} is not there, and so cannot be listened to`);
  if (isAbsent) return [];
  const policy = policyIn(asked, (it) => it?.Attributes?.Policy);
  if (policy === undefined) return [`nobody says whether ${who} may publish to ${arn}: ${asked.stderr.trim()}`];
  const publisher = service(is, who);
  const { is: may, unjudged } = lets(policy, publisher, ["sns:Publish"]);
  const isUnjudged = unjudged.length > 0;
  const under = `the policy of ${arn} lets ${who} publish under ${unjudged.join(", ")}: see that these hold`;
  const notes = isUnjudged ? [under] : [];
  findings.refuse(!may && !isUnjudged, setting, `the policy of ${arn} does not let ${who} publish; add that`);
  const key: string = json(asked)?.Attributes?.KmsMasterKeyId ?? "";
  if (key === "") return notes;
  const isSns = key.endsWith("alias/aws/sns");
  findings.refuse(
    isSns,
    setting,
    `${arn} is encrypted by alias/aws/sns, which ${who} may not use; give it another key`,
  );
  if (isSns) return notes;
  // The function publishes alerts; of arrivals it only hears.
  const used = setting === "topic" ? checkOpened(is, ownKey, key, arn, aws, into.settings) : key;
  return [...notes, ...checkKey(setting, used, [publisher], account, aws, findings)];
}

/** S3's notices are the bucket's owner's to set: what is missing can only be said. */
function checkTold(is: At, aws: Aws): string[] {
  const { rawBucket } = is.settings;
  const arn = arrivalsArn(is);
  const asked = aws("s3api", "get-bucket-notification-configuration", "--bucket", rawBucket);
  // Of a bucket without any the CLI says nothing at all.
  const has = asked.status === 0 && asked.stdout.trim() === "" ? {} : json(asked);
  if (has === undefined)
    return [`nobody says whether ${shown(rawBucket)} tells ${arn} of new files: ${asked.stderr.trim()}`];
  const told: any[] = has.TopicConfigurations ?? [];
  const prefixOf = (it: any): string =>
    it.Filter?.Key?.FilterRules?.find((rule: any) => /^prefix$/i.test(rule.Name))?.Value ?? "";
  const isOfAll = (it: any) => (it.Filter?.Key?.FilterRules ?? []).every((rule: any) => /^prefix$/i.test(rule.Name));
  const tells = (it: any) =>
    it.TopicArn === arn && isOfAll(it) && it.Events.some((event: string) => /ObjectCreated:\*/.test(event));
  const missing = rawFolders(is.settings)
    .map(({ prefix }) => prefix)
    .filter((prefix) => !told.some((it) => tells(it) && prefix.startsWith(prefixOf(it))));
  if (missing.length === 0) return [];
  const more = missing.map((Value) => ({
    TopicArn: arn,
    Events: ["s3:ObjectCreated:*"],
    Filter: { Key: { FilterRules: [{ Name: "prefix", Value }] } },
  }));
  // The new ones tell all that these did.
  const kept = told.filter(
    (it) =>
      it.TopicArn !== arn || !it.Events.every(isCreated) || !missing.some((folder) => prefixOf(it).startsWith(folder)),
  );
  const all = JSON.stringify({ ...has, TopicConfigurations: [...kept, ...more] });
  const command = `aws s3api put-bucket-notification-configuration --bucket ${rawBucket} --notification-configuration '${all}'`;
  const others = [kept, has.QueueConfigurations ?? [], has.LambdaFunctionConfigurations ?? []].flat();
  const near = others.filter(
    (it) => it.Events.some(isCreated) && missing.some((folder) => areNear(prefixOf(it), folder)),
  );
  const to = near.map((it) => it.TopicArn ?? it.QueueArn ?? it.LambdaFunctionArn);
  const first = `S3 tells of new files in a folder once: take out of this what goes to ${to.join(", ")}, and have it hear the topic; `;
  return [
    `${shown(rawBucket)} does not tell ${arn} of new files in ${missing.join(", ")}; ${to.length > 0 ? first : ""}once the topic is there: ${command}`,
  ];
}

const isCreated = (event: string) => event.startsWith("s3:ObjectCreated:");

/** Overlapping filters are refused for one event. https://docs.aws.amazon.com/AmazonS3/latest/API/API_FilterRule.html */
const areNear = (one: string, other: string) => one.startsWith(other) || other.startsWith(one);
