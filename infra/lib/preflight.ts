import type { At } from "./at.ts";
import { Findings, shown } from "./check/findings.ts";
import type { Existing } from "./settings.ts";

/** What one `aws …` command answered. */
export interface Answer {
  status: number | null;
  stdout: string;
  stderr: string;
}

export type Ask = (args: string[]) => Answer;

/** What Lambda keeps for functions that reserve nothing. https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html */
const KEPT = 100;

/** What synthesis cannot know: whether names are free that are to be made, and there that are to be taken over. */
export function preflight(is: At, ask: Ask): string[] {
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
  if (into.target.problems.length > 0) return into.target.problems;

  const resources = json(aws("cloudformation", "describe-stack-resources", "--stack-name", is.name))?.StackResources;
  const own = new Set<string>((resources ?? []).map((it: any) => it.PhysicalResourceId));
  for (const [setting, name, look] of things(is)) {
    const findings = setting === "rawBucket" ? into.settings : into.target;
    const problem = own.has(name) ? undefined : problemOf(is.makes(setting), name, aws(...look));
    findings.refuse(problem !== undefined, setting, problem ?? "");
  }
  if (!is.makes("workgroup")) checkWorkgroup(is, aws, into.settings);
  if (!own.has(is.name)) checkConcurrency(is, aws, into.settings);
  return [...into.target.problems, ...into.settings.problems];
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

/** One taken over keeps its own settings: those that builds and costs rest on. */
function checkWorkgroup({ target, settings }: At, aws: Aws, into: Findings) {
  const set = json(aws("athena", "get-work-group", "--work-group", target.workgroup))?.WorkGroup?.Configuration;
  if (!set) return;
  const engine = set.EngineVersion?.EffectiveEngineVersion ?? "Athena engine version 3";
  const name = shown(target.workgroup);
  into.refuse(engine !== "Athena engine version 3", "takeOver", `${name} has ${engine}; it takes version 3`);
  const cutoff = set.BytesScannedCutoffPerQuery;
  const isOther = cutoff !== settings.bytesCutoff;
  into.refuse(
    isOther,
    "bytesCutoff",
    `${settings.bytesCutoff}, and the cut-off of ${name} is ${cutoff ?? "not set"}; mend one`,
  );
}

function checkConcurrency({ settings }: At, aws: Aws, into: Findings) {
  const free = json(aws("lambda", "get-account-settings"))?.AccountLimit?.UnreservedConcurrentExecutions;
  const room = typeof free === "number" ? Math.max(free - KEPT, 0) : Infinity;
  const isMore = settings.reservedConcurrency > room;
  into.refuse(isMore, "reservedConcurrency", `${settings.reservedConcurrency}, and the account has room for ${room}`);
}

type Aws = (...args: string[]) => Answer;

function json({ status, stdout }: Answer): any {
  if (status !== 0) return undefined;
  try {
    return JSON.parse(stdout);
  } catch {
    return undefined;
  }
}
