import type { Target } from "../project.ts";
import type { Settings } from "../settings.ts";
import { type Findings, shown } from "./findings.ts";

export const TOPIC_ARN = /^arn:aws[\w-]*:sns:([\w-]+):(\d{12}):([\w-]{1,256})$/;

/** The names in `crawlguard.toml`, as far as this app makes something of them. */
export function checkTarget(target: Target, settings: Settings, into: Findings) {
  const { account, region, database, crawler, workgroup } = target;
  const makes = (name: Settings["takeOver"][number]) => !settings.takeOver.includes(name);
  const digits = "write the twelve digits, in quotes";
  into.refuse(!/^\d{12}$/.test(account ?? ""), "account", `${shown(account)}; ${digits}`);
  const isRegion = /^[a-z]{2,4}(-[a-z]+)+-\d$/.test(region ?? "");
  into.refuse(!isRegion, "region", `${shown(region)}; write one, such as "us-east-1"`);
  const isDatabase = /^[a-z0-9_]{1,255}$/.test(database ?? "");
  const letters = "Athena takes lower-case letters, digits and _";
  into.refuse(!database || (makes("database") && !isDatabase), "database", `${shown(database)}; ${letters}`);
  into.refuse(!crawler, "crawler", "not set; its events start the comparison");
  const isWorkgroup = /^[\w.-]{1,128}$/.test(workgroup);
  into.refuse(!isWorkgroup, "workgroup", `${shown(workgroup)}; letters, digits, _ . and -, up to 128`);
  const isPrimary = workgroup === "primary" && makes("workgroup");
  into.refuse(isPrimary, "workgroup", '"primary" is in every account already; name another, or take it over');
  checkTopic(target, makes("topic"), into);
}

function checkTopic({ account, region, topic }: Target, isMade: boolean, into: Findings) {
  const arn = TOPIC_ARN.exec(topic ?? "");
  into.refuse(!arn, "topic", `${shown(topic)}; write it as "arn:aws:sns:region:account:name"`);
  const isElsewhere = arn !== null && (arn[1] !== region || arn[2] !== account);
  const where = "its account and region are not the target's; a topic there has to be taken over";
  into.refuse(isMade && isElsewhere, "topic", where);
}
