import type { At } from "../at.ts";
import { type Aws, json } from "./ask.ts";

/** The stack as it is: the names of what it has made, and why it can take no deployment. */
export interface StackLook {
  own: Set<string>;
  problems: string[];
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html#cfn-console-view-stack-data-resources-status-codes */
const NEVER_MADE = ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"];

/** Looks whether a stack of that name is there, and what it left when it failed. */
export function lookAtStack({ name }: At, aws: Aws): StackLook {
  const asked = aws("cloudformation", "describe-stacks", "--stack-name", name);
  const status: string | undefined = json(asked)?.Stacks?.[0]?.StackStatus;
  if (status === undefined) {
    const isAbsent = /does not exist/.test(asked.stderr);
    const unseen = `stack ${name}: it could not be looked at: ${asked.stderr.trim()}`;
    return { own: new Set(), problems: isAbsent ? [] : [unseen] };
  }
  const listed = aws("cloudformation", "describe-stack-resources", "--stack-name", name);
  const found: any[] | undefined = json(listed)?.StackResources;
  if (found === undefined) {
    return { own: new Set(), problems: [`stack ${name}: nobody says what it has made: ${listed.stderr.trim()}`] };
  }
  const isThere = ({ ResourceStatus }: any) => !/^DELETE_(COMPLETE|SKIPPED)$/.test(ResourceStatus ?? "");
  const own = new Set<string>(found.filter(isThere).map((it) => it.PhysicalResourceId));
  const left = found.filter(({ ResourceStatus }) => ResourceStatus === "DELETE_SKIPPED");
  const names = left.map((it) => it.PhysicalResourceId);
  const help = helpWith(name, status, names);
  return { own, problems: help === undefined ? [] : [`stack ${name}: it is ${status}; ${help}`] };
}

/** What to do first about a stack that takes no update. */
function helpWith(name: string, status: string, left: string[]): string | undefined {
  if (status === "UPDATE_ROLLBACK_FAILED") return `aws cloudformation continue-update-rollback --stack-name ${name}`;
  if (NEVER_MADE.includes(status)) {
    const kept = `; then remove what it left, or put it into takeOver: ${left.join(", ")}`;
    return `aws cloudformation delete-stack --stack-name ${name}${left.length > 0 ? kept : ""}`;
  }
  return status.endsWith("_IN_PROGRESS") && status !== "REVIEW_IN_PROGRESS" ? "wait until it is done" : undefined;
}
