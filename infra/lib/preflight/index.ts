import type { At } from "../at.ts";
import { Findings, shown } from "../check/findings.ts";
import type { Existing, Written } from "../settings.ts";
import { type Answer, type Ask, type Aws, type Into, json, type Looked } from "./ask.ts";
import { checkBuckets } from "./buckets.ts";
import { checkCatalog } from "./catalog.ts";
import { checkFunction, checkConcurrency } from "./function.ts";
import { checkKeys } from "./key.ts";
import { checkPlaces } from "./lake-formation.ts";
import { checkOwn, lookAtStack } from "./stack.ts";
import { checkTopics } from "./topics.ts";
import { checkWorkgroup } from "./workgroup.ts";

export type { Answer, Looked } from "./ask.ts";

/** What synthesis cannot know: whether names are free that are to be made, and there that are to be taken over. */
export function preflight(is: At, written: Written, ask: Ask): Looked {
  const { target, targetName } = is;
  const into: Into = {
    target: new Findings(`crawlguard.toml targets.${targetName}`),
    settings: new Findings(`settings.ts ${targetName}`),
  };
  const aws: Aws = (...args) => ask([...args, "--region", target.region, "--output", "json"]);
  const asked = aws("sts", "get-caller-identity");
  const who = json(asked)?.Account;
  const of =
    who === undefined ? `nobody says whose credentials these are: ${asked.stderr.trim()}` : `credentials are of ${who}`;
  into.target.refuse(who !== target.account, "account", `${shown(target.account)}, and ${of}`);
  if (into.target.problems.length > 0) return { problems: into.target.problems, notes: [] };

  const stack = lookAtStack(is, aws);
  if (stack.problems.length > 0) return { problems: stack.problems, notes: [] };
  for (const [setting, name, look] of things(is)) {
    const findings = setting === "rawBucket" ? into.settings : into.target;
    const problem = stack.own.get(setting) === name ? undefined : problemOf(is.makes(setting), name, aws(...look));
    findings.refuse(problem !== undefined, setting, problem ?? "");
  }
  const wanted = new Map(things(is).map(([setting, name]) => [setting, name]));
  const own = checkOwn(is, stack.own, wanted, aws);
  if (stack.own.get("crawler") === target.crawler) checkCrawler(target.crawler, aws, into);
  const current = stack.own.get("function");
  const notes = [
    ...stack.notes,
    ...(is.makes("workgroup") ? [] : checkWorkgroup(is, written, aws, into)),
    ...checkCatalog(is, aws, into.settings),
    ...checkKeys(is, aws, into.settings),
    ...checkBuckets(is, stack.own.get("key"), aws, into),
    ...checkTopics(is, stack.own.get("key"), aws, into),
    ...checkPlaces(is, aws, into.settings),
    ...(current === undefined ? [] : checkFunction(is, aws, into.settings)),
    ...checkConcurrency(is, current, aws, into.settings),
  ];
  return { problems: [...own, ...into.target.problems, ...into.settings.problems], notes };
}

/** Glue changes no crawler that crawls, and the update fails. https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateCrawler.html */
function checkCrawler(name: string, aws: Aws, into: Into) {
  const state = json(aws("glue", "get-crawler", "--name", name))?.Crawler?.State ?? "READY";
  const isBusy = state !== "READY";
  into.target.refuse(
    isBusy,
    "crawler",
    `${shown(name)} is ${state}, and Glue changes none that runs; wait until it is READY`,
  );
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
