import { type Answer, json } from "./ask.ts";

/** A resource's policy, which its owner keeps: what it lets whom do, as far as that can be read. */
export interface Policy {
  statements: any[];
}

/** The policy that an answer holds as text; `none` stands for an answer that there is none. */
export function policyIn(answer: Answer, text: (answer: any) => unknown, none?: RegExp): Policy | undefined {
  if (none?.test(answer.stderr)) return { statements: [] };
  const policy = json({ ...answer, stdout: String(text(json(answer)) ?? "") });
  return policy === undefined ? undefined : { statements: [policy.Statement ?? []].flat() };
}

/** Whether some statement lets this principal do all of these, for this account. */
export function lets({ statements }: Policy, principal: string, actions: string[], account: string): boolean {
  const names = (it: any, who: string) => [it.Principal?.Service ?? [], it.Principal?.AWS ?? []].flat().includes(who);
  const isAnyone = (it: any) => it.Principal === "*" || names(it, "*");
  // Under a condition "*" is who the condition names, and nobody else that is known.
  const isOpen = (it: any) =>
    isAnyone(it) && (it.Condition === undefined || conditioned(it, "aws:principalarn").includes(principal));
  const isOurs = (it: any) => {
    const accounts = conditioned(it, "aws:sourceaccount");
    return accounts.length === 0 || accounts.includes(account);
  };
  return statements.some(
    (it) => it.Effect === "Allow" && allows(it, actions) && isOurs(it) && (names(it, principal) || isOpen(it)),
  );
}

/** What a statement's conditions ask of one key, whatever the operator. */
export function conditioned(statement: any, key: string): string[] {
  const asked = Object.values<any>(statement.Condition ?? {}).flatMap((it) => Object.entries<any>(it));
  return asked.filter(([name]) => name.toLowerCase() === key).flatMap(([, value]) => value);
}

/** Whether a statement's actions are all of these. */
function allows(statement: any, actions: string[]): boolean {
  const patterns = [statement.Action ?? []].flat().map((action: string) => action.toLowerCase());
  return actions.every((action) =>
    patterns.some((pattern) =>
      pattern.endsWith("*") ? action.toLowerCase().startsWith(pattern.slice(0, -1)) : pattern === action.toLowerCase(),
    ),
  );
}
