import type { At } from "./at.ts";
import { Findings, shown } from "./check/findings.ts";
import { folderOf } from "./project.ts";
import type { Existing, Written } from "./settings.ts";

/** What one `aws …` command answered. */
export interface Answer {
  status: number | null;
  stdout: string;
  stderr: string;
}

export type Ask = (args: string[]) => Answer;

/** What Lambda keeps for functions that reserve nothing. https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html */
const KEPT = 100;

/** What would fail, and what is only good to know. */
export interface Looked {
  problems: string[];
  notes: string[];
}

/** What synthesis cannot know: whether names are free that are to be made, and there that are to be taken over. */
export function preflight(is: At, written: Written, ask: Ask): Looked {
  const { target, targetName } = is;
  const into = {
    target: new Findings(`crawlguard.toml targets.${targetName}`),
    settings: new Findings(`settings.ts ${targetName}`),
  };
  const aws = (...args: string[]) => ask([...args, "--region", target.region, "--output", "json"]);
  const asked = aws("sts", "get-caller-identity");
  const who = json(asked)?.Account;
  const of =
    who === undefined ? `nobody says whose credentials these are: ${asked.stderr.trim()}` : `credentials are of ${who}`;
  into.target.refuse(who !== target.account, "account", `${shown(target.account)}, and ${of}`);
  if (into.target.problems.length > 0) return { problems: into.target.problems, notes: [] };

  const resources = json(aws("cloudformation", "describe-stack-resources", "--stack-name", is.name))?.StackResources;
  const own = new Set<string>((resources ?? []).map((it: any) => it.PhysicalResourceId));
  for (const [setting, name, look] of things(is)) {
    const findings = setting === "rawBucket" ? into.settings : into.target;
    const problem = own.has(name) ? undefined : problemOf(is.makes(setting), name, aws(...look));
    findings.refuse(problem !== undefined, setting, problem ?? "");
  }
  const notes = is.makes("workgroup") ? [] : checkWorkgroup(is, written, aws, into);
  if (!own.has(is.name)) notes.push(...checkConcurrency(is, aws, into.settings));
  return { problems: [...into.target.problems, ...into.settings.problems], notes };
}

/** Each resource by its setting: the name that CloudFormation knows it by, and the command that finds it. */
function things({ target, settings, warehouse, results, state }: At): [Existing, string, string[]][] {
  const bucket = (name: string) => ["s3api", "head-bucket", "--bucket", name];
  return [
    ["rawBucket", settings.rawBucket, bucket(settings.rawBucket)],
    ["warehouse", warehouse.bucket, bucket(warehouse.bucket)],
    ["results", results.bucket, bucket(results.bucket)],
    ["state", state.bucket, bucket(state.bucket)],
    ["database", target.database, ["glue", "get-database", "--name", target.database]],
    ["crawler", target.crawler, ["glue", "get-crawler", "--name", target.crawler]],
    ["workgroup", target.workgroup, ["athena", "get-work-group", "--work-group", target.workgroup]],
    ["topic", target.topic, ["sns", "get-topic-attributes", "--topic-arn", target.topic]],
  ];
}

const ABSENT = /\b404\b|NotFound|not found|does not exist/i;
const FORBIDDEN = /\b403\b|Forbidden|AccessDenied|not authorized/i;

function problemOf(isMade: boolean, name: string, { status, stderr }: Answer): string | undefined {
  const is = `${shown(name)} `;
  if (status === 0) return isMade ? `${is}exists already; put it into takeOver, or name another` : undefined;
  if (ABSENT.test(stderr)) return isMade ? undefined : `${is}is not there, and so cannot be taken over`;
  if (FORBIDDEN.test(stderr)) return `${is}is somebody else's, or these credentials may not look at it`;
  return `${is}could not be looked at: ${stderr.trim()}`;
}

/** One taken over keeps its own settings: those that builds and costs rest on have to be as these say. */
function checkWorkgroup({ target, settings }: At, written: Written, aws: Aws, into: Into): string[] {
  const found = json(aws("athena", "get-work-group", "--work-group", target.workgroup))?.WorkGroup;
  const set = found?.Configuration;
  if (!set) return [];
  const name = shown(target.workgroup);
  into.target.refuse(found.State === "DISABLED", "workgroup", `${name} is disabled; enable it, or name another`);
  const engine = set.EngineVersion?.EffectiveEngineVersion ?? "Athena engine version 3";
  into.settings.refuse(engine !== "Athena engine version 3", "takeOver", `${name} has ${engine}; it takes version 3`);
  const output = set.EnforceWorkGroupConfiguration ? set.ResultConfiguration?.OutputLocation : undefined;
  const isElsewhere = output !== undefined && !isSame(output, target.results);
  const says = `${shown(target.results)}, and ${name} enforces ${shown(output)}; write that`;
  into.target.refuse(isElsewhere, "results", says);
  const cutoff = set.BytesScannedCutoffPerQuery;
  if (cutoff === undefined && written.bytesCutoff === undefined) {
    return [`${name} has no cut-off of its own (BytesScannedCutoffPerQuery), and bytesCutoff is not applied to it`];
  }
  const isOther = cutoff !== settings.bytesCutoff;
  const mend =
    cutoff === undefined ? "set it there, or leave bytesCutoff out" : `write bytesCutoff: ${cutoff}, or mend it there`;
  const has = `${settings.bytesCutoff}, and the cut-off of ${name} is ${cutoff ?? "not set"}`;
  into.settings.refuse(isOther, "bytesCutoff", `${has}; ${mend}`);
  return [];
}

const isSame = (uri: string, other: string) => {
  const [one, two] = [folderOf(uri), folderOf(other)];
  return one.bucket === two.bucket && one.prefix === two.prefix;
};

function checkConcurrency({ settings }: At, aws: Aws, into: Findings): string[] {
  const asked = aws("lambda", "get-account-settings");
  const free = json(asked)?.AccountLimit?.UnreservedConcurrentExecutions;
  if (typeof free !== "number") {
    return [`nobody says whether the account has room for reservedConcurrency: ${asked.stderr.trim()}`];
  }
  const room = Math.max(free - KEPT, 0);
  const isMore = settings.reservedConcurrency > room;
  into.refuse(isMore, "reservedConcurrency", `${settings.reservedConcurrency}, and the account has room for ${room}`);
  return [];
}

type Aws = (...args: string[]) => Answer;
type Into = Record<"target" | "settings", Findings>;

function json({ status, stdout }: Answer): any {
  if (status !== 0) return undefined;
  try {
    return JSON.parse(stdout);
  } catch {
    return undefined;
  }
}
