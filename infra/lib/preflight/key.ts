import type { At } from "../at.ts";
import { type Findings, shown } from "../check/findings.ts";
import { publishers, serviceRole, USE } from "../keys.ts";
import { type Aws, json } from "./ask.ts";
import { type Caller, role, service } from "./callers.ts";
import { lets, policyIn } from "./policy.ts";

/** Keys taken over: whether they can be used, and by services that no role of the stack stands for. */
export function checkKeys(is: At, aws: Aws, into: Findings): string[] {
  const { account } = is.target;
  const { key, lakeFormation, otherKeys } = is.settings;
  const needed = publishers(is).map((who) => service(is, who));
  if (lakeFormation) needed.push(role(account, serviceRole(account, key.split(":")[1]!)));
  return [
    ...(key.startsWith("arn:") ? checkKey("key", key, needed, account, aws, into) : []),
    ...otherKeys.flatMap((other) => checkState("otherKeys", other, aws, into)),
  ];
}

/** One key: its state, and that its policy lets these use it. */
export function checkKey(
  setting: string,
  key: string,
  needed: Caller[],
  account: string,
  aws: Aws,
  into: Findings,
): string[] {
  const unknown = checkState(setting, key, aws, into);
  const its = setting === "key" ? "key's policy" : `the policy of ${key}`;
  const asked = aws("kms", "get-key-policy", "--key-id", key, "--policy-name", "default");
  const policy = policyIn(asked, (it) => it?.Policy);
  if (policy === undefined) return [...unknown, `nobody says whether ${its} suits: ${asked.stderr.trim()}`];
  const mayUse = (who: Caller) => lets(policy, who, USE);
  const missing: string[] = [];
  for (const who of needed) {
    const { is, unjudged } = mayUse(who);
    if (is) continue;
    if (unjudged.length === 0) missing.push(who.principal);
    else unknown.push(`${its} lets ${who.principal} use it under ${unjudged.join(", ")}: see that these hold`);
  }
  const says = `${setting === "key" ? "its policy" : its} does not let these use it: ${missing.join(", ")}; docs/deploy.md has the statements`;
  into.refuse(missing.length > 0, setting, says);
  const isToIam = [account, `arn:${key.split(":")[1]}:iam::${account}:root`].some((it) => mayUse(role(account, it)).is);
  const denies = policy.statements.some((it) => it.Effect === "Deny");
  const leaves = `${its} does not leave ${account}'s roles to IAM; it then has to name them itself`;
  const spares = `${its} denies something: see that it spares the stack's roles, and the services it names`;
  return [...unknown, ...(isToIam ? [] : [leaves]), ...(denies ? [spares] : [])];
}

function checkState(setting: string, key: string, aws: Aws, into: Findings): string[] {
  const asked = aws("kms", "describe-key", "--key-id", key);
  const state = json(asked)?.KeyMetadata?.KeyState;
  const isAbsent = /NotFoundException/.test(asked.stderr);
  into.refuse(isAbsent, setting, `${key} is not there; name another`);
  if (state === undefined) return isAbsent ? [] : [`nobody says whether ${key} is enabled: ${asked.stderr.trim()}`];
  const which = setting === "key" ? "it" : key;
  into.refuse(state !== "Enabled", setting, `${which} is ${state}; enable it, or name another`);
  return [];
}

/** Whether the roles may use the key that something taken over is encrypted by; into `otherKeys` what they may not. */
export function checkOpened(is: At, ownKey: string | undefined, key: string, what: string, aws: Aws, into: Findings) {
  const arn: string = json(aws("kms", "describe-key", "--key-id", key))?.KeyMetadata?.Arn ?? key;
  const isOwn = is.settings.key === "create" && ownKey !== undefined && arn.endsWith(`/${ownKey}`);
  const isKnown = isOwn || [is.settings.key, ...is.settings.otherKeys].includes(arn);
  const says = `${shown(arn)} encrypts ${what}, and the roles may not use it; put it in here`;
  into.refuse(!isKnown, "otherKeys", says);
  return arn;
}
