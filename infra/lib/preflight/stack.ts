import { parse } from "yaml";
import type { At } from "../at.ts";
import { shown } from "../check/findings.ts";
import type { Existing } from "../settings.ts";
import { type Aws, json } from "./ask.ts";

/** What a stack makes that is asked for by name: the beginnings of the logical ids, which never change. */
export const MADE: Record<Existing | "key" | "function", string> = {
  rawBucket: "BucketsRaw",
  warehouse: "BucketsWarehouse",
  results: "BucketsResults",
  state: "BucketsState",
  database: "CatalogDatabase",
  crawler: "CatalogCrawler",
  workgroup: "QueriesWorkGroup",
  topic: "AlertsTopic",
  key: "KeysKey",
  function: "PipelineGuardFunction",
};
type Made = keyof typeof MADE;

/** What of these a resource is, by its logical id. */
export function settingOf(logicalId: string): Made | undefined {
  const found = Object.entries(MADE).find(([, begin]) => new RegExp(`^${begin}[0-9A-F]{8}$`).test(logicalId));
  return found?.[0] as Made | undefined;
}

/** The stack as it is: the names of what it has made, and why it can take no deployment. */
export interface StackLook {
  own: Map<Made, string>;
  problems: string[];
  notes: string[];
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html#cfn-console-view-stack-data-resources-status-codes */
const NEVER_MADE = ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"];

/** Looks whether a stack of that name is there, and what it left when it failed. */
export function lookAtStack(is: At, aws: Aws): StackLook {
  const { name } = is;
  const refused = (says: string) => ({ own: new Map(), problems: [`stack ${name}: ${says}`], notes: [] });
  const asked = aws("cloudformation", "describe-stacks", "--stack-name", name);
  const status: string | undefined = json(asked)?.Stacks?.[0]?.StackStatus;
  if (status === undefined) {
    if (/does not exist/.test(asked.stderr)) return { own: new Map(), problems: [], notes: [] };
    return refused(`it could not be looked at: ${asked.stderr.trim()}`);
  }
  // `describe-stack-resources` ends at 100; of this the CLI fetches every page.
  const listed = aws("cloudformation", "list-stack-resources", "--stack-name", name);
  const found: Resource[] | undefined = json(listed)?.StackResourceSummaries;
  if (found === undefined) return refused(`nobody says what it has made: ${listed.stderr.trim()}`);
  const there = found.filter((it) => it.PhysicalResourceId && it.ResourceStatus !== "DELETE_COMPLETE");
  const command = (verb: string) => `aws cloudformation ${verb} --stack-name ${name} --region ${is.target.region}`;
  const help = helpWith(status, there, command);
  if (help !== undefined) return refused(`it is ${status}; ${help}`);
  const own = there.filter((it) => it.ResourceStatus !== "DELETE_SKIPPED");
  const named = own.flatMap((it): [Made, string][] => {
    const setting = settingOf(it.LogicalResourceId);
    return setting ? [[setting, it.PhysicalResourceId]] : [];
  });
  const isReview = status === "REVIEW_IN_PROGRESS";
  const review = `stack ${name}: it is REVIEW_IN_PROGRESS: a change set was made and never carried out. A deployment goes on from there; ${command("delete-stack")} takes it away`;
  return { own: new Map(named), problems: [], notes: isReview ? [review] : [] };
}

interface Resource {
  LogicalResourceId: string;
  PhysicalResourceId: string;
  ResourceStatus?: string;
  ResourceStatusReason?: string;
}

type Command = (verb: string) => string;

/** What to do first about a stack that takes no update. */
function helpWith(status: string, there: Resource[], command: Command): string | undefined {
  if (status === "UPDATE_ROLLBACK_FAILED") return command("continue-update-rollback");
  if (NEVER_MADE.includes(status)) return afterFailure(status, there, command);
  return status.endsWith("_IN_PROGRESS") && status !== "REVIEW_IN_PROGRESS" ? "wait until it is done" : undefined;
}

/** Takes away a stack that was never made, and says what then stays, and how that is gone on with. */
function afterFailure(status: string, there: Resource[], command: Command): string {
  const stuck = there.filter((it) => it.ResourceStatus === "DELETE_FAILED");
  const left = there.filter((it) => stuck.includes(it) || it.ResourceStatus === "DELETE_SKIPPED" || holds(it));
  // Only a stack whose removal has failed takes this; the rest of it is removed.
  const ids = status === "DELETE_FAILED" ? [...stuck, ...keyOf(stuck, there)].map((it) => it.LogicalResourceId) : [];
  const retain = ids.length > 0 ? ` --retain-resources ${ids.join(" ")}` : "";
  const remove = `${command("delete-stack")}${retain} && ${command("wait stack-delete-complete")}`;
  if (left.length === 0) return `nothing is left of it; ${remove}`;
  return `left of it: ${left.map(words).join(", ")}; ${remove}; then run preflight again, and of what is still there ${ways(left)}`;
}

/** What data that stays is encrypted by: left in the stack, it would be deleted now, and all that it encrypted with it. */
function keyOf(stuck: Resource[], there: Resource[]): Resource[] {
  const isKey = (it: Resource) => settingOf(it.LogicalResourceId) === "key" && it.ResourceStatus !== "DELETE_SKIPPED";
  return stuck.some(holds) ? there.filter((it) => isKey(it) && !stuck.includes(it)) : [];
}

const holds = (it: Resource) =>
  !["crawler", "workgroup", "function", undefined].includes(settingOf(it.LogicalResourceId));

function words({ LogicalResourceId, PhysicalResourceId, ResourceStatus, ResourceStatusReason }: Resource): string {
  const is = [settingOf(LogicalResourceId) ?? LogicalResourceId, ResourceStatus].filter(Boolean).join(", ");
  return `${shown(PhysicalResourceId)} (${is}${ResourceStatusReason ? `: ${ResourceStatusReason}` : ""})`;
}

/** How a deployment goes on with what is left: it takes it over, or finds it gone. */
function ways(left: Resource[]): string {
  const settings = left.map((it) => settingOf(it.LogicalResourceId));
  const taken = settings.filter((it) => it !== undefined && it !== "key" && it !== "function");
  const key = left.find((it) => settingOf(it.LogicalResourceId) === "key");
  return [
    ...(taken.length > 0 ? [`write takeOver: ${JSON.stringify(taken)}`] : []),
    ...(key ? [`write the ARN of ${shown(key.PhysicalResourceId)} as key`] : []),
    "remove what you do not want as docs/deploy.md, Removing, has it",
  ].join(", or ");
}

/** What holds data, and would begin empty under another name. */
const MOVES: Made[] = ["rawBucket", "warehouse", "results", "state", "database"];

/** What an update would leave behind, or take away, of what the stack has made. */
export function checkOwn(is: At, own: StackLook["own"], wanted: Map<Made, string>, aws: Aws): string[] {
  const place = (setting: Made) =>
    setting === "rawBucket" || setting === "key"
      ? `settings.ts ${is.targetName}.${setting}`
      : `crawlguard.toml targets.${is.targetName}.${setting}`;
  const isMade = (setting: Made) =>
    setting === "key" ? is.settings.key === "create" : setting === "function" || is.makes(setting);
  const moved = MOVES.filter((it) => isMade(it) && own.has(it) && own.get(it) !== wanted.get(it)).map((setting) => {
    const [was, to] = [shown(own.get(setting)), shown(wanted.get(setting))];
    const copy = `make it, copy what it needs (docs/deploy.md, Upgrading), and put ${setting} into takeOver`;
    return `${place(setting)}: ${to}, and the stack has ${was}: a deployment would make ${to} empty and leave all data behind; ${copy}`;
  });
  const dropped = [...own.keys()].filter((setting) => !isMade(setting));
  return [...moved, ...checkDropped(is, dropped, own, aws).map(([setting, says]) => `${place(setting)}: ${says}`)];
}

/** By the template that is deployed, what is taken out of the stack is kept or deleted. */
function checkDropped({ name }: At, dropped: Made[], own: StackLook["own"], aws: Aws): [Made, string][] {
  if (dropped.length === 0) return [];
  const asked = aws("cloudformation", "get-template", "--stack-name", name);
  const body = json(asked)?.TemplateBody;
  const resources: Record<string, any> | undefined = (typeof body === "string" ? parse(body) : body)?.Resources;
  return dropped.flatMap((setting): [Made, string][] => {
    const has = shown(own.get(setting));
    if (resources === undefined) {
      return [[setting, `nobody says whether the stack deletes ${has} when it is taken over: ${asked.stderr.trim()}`]];
    }
    const [, made] = Object.entries(resources).find(([id]) => settingOf(id) === setting) ?? [];
    // What holds no data is made again as it was.
    const isKept = /^Retain/.test(made?.DeletionPolicy ?? "Delete") || !HOLDERS.includes(setting);
    const first = 'deploy once with onDestroy: "keep" before';
    return isKept ? [] : [[setting, `the stack has made ${has}, and deletes it when it is taken out of it; ${first}`]];
  });
}

const HOLDERS: Made[] = [...MOVES, "topic", "key"];
