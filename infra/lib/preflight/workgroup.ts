import type { At } from "../at.ts";
import { shown } from "../check/findings.ts";
import { folderOf } from "../project.ts";
import type { Written } from "../settings.ts";
import { type Aws, type Into, json } from "./ask.ts";
import { checkAlive } from "./buckets.ts";

/** One taken over keeps its own settings: those that builds and costs rest on have to be as these say. */
export function checkWorkgroup(is: At, written: Written, aws: Aws, into: Into): string[] {
  const { target, settings } = is;
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
  return [
    ...(output === undefined ? checkPile(is) : checkBuilds(is, output, aws, into)),
    ...checkCutoff(set.BytesScannedCutoffPerQuery, name, settings.bytesCutoff, written, into),
  ];
}

function checkCutoff(cutoff: number | undefined, name: string, wanted: number, written: Written, into: Into): string[] {
  if (cutoff === undefined && written.bytesCutoff === undefined) {
    return [`${name} has no cut-off of its own (BytesScannedCutoffPerQuery), and bytesCutoff is not applied to it`];
  }
  const mend =
    cutoff === undefined ? "set it there, or leave bytesCutoff out" : `write bytesCutoff: ${cutoff}, or mend it there`;
  const has = `${wanted}, and the cut-off of ${name} is ${cutoff ?? "not set"}`;
  into.settings.refuse(cutoff !== wanted, "bytesCutoff", `${has}; ${mend}`);
  return [];
}

/** Where builds go below `results`, no rule may remove them: they are what is published. */
function checkBuilds({ makes, settings, target }: At, output: string, aws: Aws, into: Into): string[] {
  const { bucket, prefix } = folderOf(output);
  const builds = `${prefix}tables/`;
  const what = `${shown(target.workgroup)} enforces its output, so published tables lie`;
  if (makes("results")) {
    const says = `${settings.resultDays}, and ${what} in s3://${bucket}/${builds}; write null, or do not enforce`;
    into.settings.refuse(settings.resultDays !== null, "resultDays", says);
    return [];
  }
  return checkAlive("results", { bucket, prefix: builds }, what, aws, into);
}

function checkPile({ makes, settings, target }: At): string[] {
  if (!makes("results") || settings.resultDays !== null) return [];
  return [`nothing removes query results; ${shown(target.workgroup)} enforces no output, so write resultDays: 7`];
}

const isSame = (uri: string, other: string) => {
  const [one, two] = [folderOf(uri), folderOf(other)];
  return one.bucket === two.bucket && one.prefix === two.prefix;
};
