import type { Resource } from "./helpers.ts";

export interface Statement {
  Sid: string;
  Effect: "Allow" | "Deny";
  Action: string | string[];
  Resource: unknown;
}

/** One call of a run; without a resource, where the call names none that IAM knows. */
export interface Call {
  action: string;
  resource?: string;
}

/** The statements of a role made here. */
export function statementsOf(role: Resource): Statement[] {
  return role.Properties.Policies.flatMap((policy: any) => policy.PolicyDocument.Statement);
}

export const actionsOf = (statement: Statement) => [statement.Action].flat();

/** Whether IAM would let the call through: some statement allows it, and none denies it. */
export function isAllowed(statements: Statement[], call: Call): boolean {
  const hits = statements.filter((statement) => covers(statement, call));
  return (
    hits.some((it) => it.Effect === "Allow") && !hits.some((it) => it.Effect === "Deny" && call.resource !== undefined)
  );
}

export function covers(statement: Statement, call: Call): boolean {
  if (!actionsOf(statement).some((pattern) => matches(pattern, call.action))) return false;
  const resources = [statement.Resource].flat().filter((resource) => typeof resource === "string");
  return call.resource === undefined || resources.some((pattern) => matches(pattern, call.resource!));
}

/** `*` is any text, `?` any character. */
function matches(pattern: string, text: string): boolean {
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${escaped}$`, "s").test(text);
}
