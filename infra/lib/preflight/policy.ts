import { type Answer, json } from "./ask.ts";
import type { Caller } from "./callers.ts";

/** A resource's policy, which its owner keeps: what it lets whom do, as far as that can be read. */
export interface Policy {
  statements: any[];
}

/** Whether a policy lets somebody; if not, the conditions that could not be judged here, and may be all that is asked. */
export interface Let {
  is: boolean;
  unjudged: string[];
}

/** The policy that an answer holds as text; `none` stands for an answer that there is none. */
export function policyIn(answer: Answer, text: (answer: any) => unknown, none?: RegExp): Policy | undefined {
  if (none?.test(answer.stderr)) return { statements: [] };
  const policy = json({ ...answer, stdout: String(text(json(answer)) ?? "") });
  return policy === undefined ? undefined : { statements: [policy.Statement ?? []].flat() };
}

/** Whether statements let somebody do all of these, in each of its calls. */
export function lets({ statements }: Policy, { principal, calls }: Caller, actions: string[]): Let {
  const allowing = statements.filter((it) => it.Effect === "Allow");
  const asked = calls.flatMap((call) => actions.map((action) => letsOne(allowing, principal, call, action)));
  const refused = asked.filter(({ is }) => !is);
  const mayBe = refused.every(({ unjudged }) => unjudged.length > 0);
  return {
    is: refused.length === 0,
    unjudged: mayBe ? [...new Set(refused.flatMap(({ unjudged }) => unjudged))] : [],
  };
}

function letsOne(allowing: any[], principal: string, call: Caller["calls"][number], action: string): Let {
  const names = (it: any, who: string) => [it.Principal?.Service ?? [], it.Principal?.AWS ?? []].flat().includes(who);
  const isAnyone = (it: any) => it.Principal === "*" || names(it, "*");
  const judged = allowing
    .filter((it) => [it.Action ?? []].flat().some((it: string) => isLike(it.toLowerCase(), action.toLowerCase())))
    .filter((it) => names(it, principal) || isAnyone(it))
    .map((it) => ({ asks: judge(it, call), isNamed: names(it, principal) }));
  // Under a condition "*" is who the condition names, and nobody else that is known.
  const mayLet = judged.filter(({ asks, isNamed }) => asks !== undefined && (isNamed || asks.length === 0));
  const unjudged = mayLet.map(({ asks }) => asks!);
  return unjudged.some((asks) => asks.length === 0)
    ? { is: true, unjudged: [] }
    : { is: false, unjudged: unjudged.flat() };
}

/** Keys that services and roles are judged by; where a call has none of a key, nothing equals it. */
const KEYS = ["aws:sourceaccount", "aws:sourcearn", "aws:sourceowner", "aws:principalarn", "kms:calleraccount"];

/** The keys among a statement's conditions that cannot be judged; undefined if one of the others does not hold. */
function judge(statement: any, call: Caller["calls"][number]): string[] | undefined {
  const conditions = Object.entries<any>(statement.Condition ?? {}).flatMap(([operator, keys]) =>
    Object.entries<any>(keys).map(([key, values]) => ({ operator, key, values: [values].flat().map(String) })),
  );
  const isKnown = ({ operator, key }: (typeof conditions)[number]) =>
    /^(String|Arn)(Equals|Like)$/.test(operator) && KEYS.includes(key.toLowerCase());
  const holds = ({ operator, key, values }: (typeof conditions)[number]) => {
    const value = call[key.toLowerCase()];
    if (value === undefined) return false;
    if (operator === "StringEquals") return values.includes(value);
    return values.some((pattern) => isLike(pattern, value, operator.startsWith("Arn")));
  };
  if (!conditions.filter(isKnown).every(holds)) return undefined;
  return conditions.filter((it) => !isKnown(it)).map(({ key }) => key);
}

/** Of an ARN's parts, `*` and `?` reach over none but the last. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN */
function isLike(pattern: string, value: string, isArn = false): boolean {
  const within = isArn ? "[^:]" : ".";
  const parts = pattern.split(":").map((part, index) => {
    const any = index < 5 ? within : ".";
    const literal = part.replace(/[.+^${}()|[\]\\]/g, "\\$&");
    return literal.replaceAll("*", `${any}*`).replaceAll("?", any);
  });
  return new RegExp(`^${parts.join(":")}$`).test(value);
}
