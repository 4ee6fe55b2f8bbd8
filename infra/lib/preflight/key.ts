import type { At } from "../at.ts";
import type { Findings } from "../check/findings.ts";
import { publishers, serviceRole, USE } from "../keys.ts";
import { type Aws, json } from "./ask.ts";

/** A key taken over keeps its policy: whether that lets services use it which no role of the stack stands for. */
export function checkKey({ settings, target, makes }: At, aws: Aws, into: Findings): string[] {
  const { key } = settings;
  if (!key.startsWith("arn:")) return [];
  const asked = aws("kms", "get-key-policy", "--key-id", key, "--policy-name", "default");
  const policy = json({ ...asked, stdout: json(asked)?.Policy ?? "" });
  if (policy === undefined) return [`nobody says whether key's policy suits: ${asked.stderr.trim()}`];
  const statements: any[] = [policy.Statement ?? []].flat();
  const isOurs = (it: any) => {
    const accounts = conditioned(it, "aws:sourceaccount");
    return accounts.length === 0 || accounts.includes(target.account!);
  };
  const allowing = statements.filter((it) => it.Effect === "Allow" && allows(it) && isOurs(it));
  const names = (it: any, principal: string) =>
    [it.Principal?.Service ?? [], it.Principal?.AWS ?? []].flat().includes(principal);
  const isAnyone = (it: any) => it.Principal === "*" || names(it, "*");
  // Under a condition "*" is who the condition names, and nobody else that is known.
  const isOpen = (it: any, principal: string) =>
    isAnyone(it) && (it.Condition === undefined || conditioned(it, "aws:principalarn").includes(principal));
  const mayUse = (principal: string) => allowing.some((it) => names(it, principal) || isOpen(it, principal));
  const needed = publishers({ settings, makes });
  if (settings.lakeFormation) needed.push(serviceRole(target.account, key.split(":")[1]!));
  const missing = needed.filter((principal) => !mayUse(principal));
  const says = `its policy does not let these use it: ${missing.join(", ")}; docs/deploy.md has the statements`;
  into.refuse(missing.length > 0, "key", says);
  const state = json(aws("kms", "describe-key", "--key-id", key))?.KeyMetadata?.KeyState ?? "Enabled";
  into.refuse(state !== "Enabled", "key", `it is ${state}; enable it, or name another`);
  const { account } = target;
  const isToIam = [account, `arn:${key.split(":")[1]}:iam::${account}:root`].some((it) => mayUse(it!));
  const denies = statements.some((it) => it.Effect === "Deny");
  return [
    ...(isToIam ? [] : [`key's policy does not leave ${account}'s roles to IAM; it then has to name them itself`]),
    ...(denies
      ? ["key's policy denies something: see that it spares the stack's roles, and the services it names"]
      : []),
  ];
}

/** What a statement's conditions ask of one key, whatever the operator. */
function conditioned(statement: any, key: string): string[] {
  const asked = Object.values<any>(statement.Condition ?? {}).flatMap((it) => Object.entries<any>(it));
  return asked.filter(([name]) => name.toLowerCase() === key).flatMap(([, value]) => value);
}

/** Whether a statement lets its principals do all that a topic or bucket takes. */
function allows(statement: any): boolean {
  const patterns = [statement.Action ?? []].flat().map((action: string) => action.toLowerCase());
  return USE.every((action) =>
    patterns.some((pattern) =>
      pattern.endsWith("*") ? action.toLowerCase().startsWith(pattern.slice(0, -1)) : pattern === action.toLowerCase(),
    ),
  );
}
