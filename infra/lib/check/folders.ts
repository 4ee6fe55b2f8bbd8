import { folderOf, type Target } from "../project.ts";
import type { Existing, Settings } from "../settings.ts";
import { crawledFolders, rawFolders } from "../sources.ts";
import { type Findings, shown } from "./findings.ts";

/** Buckets and folders: their names, and that none lies in another. */
export function checkFolders(target: Target, settings: Settings, inTarget: Findings, inSettings: Findings) {
  checkSources(settings, inSettings);
  const buckets: [Existing, string, Findings][] = [["rawBucket", settings.rawBucket, inSettings]];
  for (const name of ["warehouse", "results", "state"] as const) {
    // In a policy `*`, `?` and `$` would mean other folders too.
    const isFolder = /^s3:\/\/[^/]+\/([^*?$]+\/)?$/.test(target[name] ?? "");
    inTarget.refuse(!isFolder, name, `${shown(target[name])}; write it as "s3://bucket/prefix/", without * ? $`);
    if (isFolder) buckets.push([name, folderOf(target[name]!).bucket, inTarget]);
  }
  for (const [name, bucket, into] of buckets) {
    const isMade = !settings.takeOver.includes(name);
    const problem = bucketNameProblem(bucket, isMade);
    into.refuse(problem !== undefined, name, `${shown(bucket)}; ${problem}`);
    const isShared = buckets.some(([other, its]) => other !== name && its === bucket);
    into.refuse(isMade && isShared, name, `${shown(bucket)} is used twice; only buckets taken over may be shared`);
  }
  const logs = settings.accessLogBucket;
  const problem = logs === null ? undefined : bucketNameProblem(logs, false);
  inSettings.refuse(problem !== undefined, "accessLogBucket", `${shown(logs)}; ${problem}`);
  const [logged] = buckets.find(([name, its]) => its === logs && !settings.takeOver.includes(name)) ?? [];
  const own = `${shown(logs)} is \`${logged}\`, made here, and would log its own logs; name another`;
  inSettings.refuse(logged !== undefined, "accessLogBucket", own);
  checkOverlaps(target, settings, inTarget);
  checkRaw(target, settings, inTarget);
}

/** Targets that share contracts say in `raw` what lies above the sources; it is the one place that is written twice. */
function checkRaw({ raw }: Target, { rawBucket, sources }: Settings, into: Findings) {
  if (raw === undefined) return;
  const { bucket, prefix } = folderOf(raw);
  const isElsewhere = !raw.startsWith("s3://") || bucket !== rawBucket;
  const own = `${shown(raw)} is no folder of settings.ts' rawBucket, ${shown(rawBucket)}`;
  into.refuse(isElsewhere, "raw", `${own}; write it as "s3://${rawBucket}/", or mend rawBucket`);
  const outside = isElsewhere ? undefined : sources.find((source) => !`${source}/`.startsWith(prefix));
  into.refuse(outside !== undefined, "raw", `the source ${shown(outside)} does not lie in ${shown(raw)}`);
}

/** https://docs.aws.amazon.com/general/latest/gr/s3.html */
const NOTIFICATIONS = 100;

function checkSources(settings: Settings, into: Findings) {
  const { sources } = settings;
  into.refuse(sources.length === 0, "sources", "empty; there would be nothing to crawl");
  for (const source of sources) {
    const isFolder = /^[\w!.'()-]+(\/[\w!.'()-]+)*$/.test(source);
    const help = 'write a folder without slashes around it, such as "orders"';
    into.refuse(!isFolder, "sources", `${shown(source)}; ${help}`);
    // Files it does: https://docs.aws.amazon.com/athena/latest/ug/other-notable-limitations.html
    const isHidden = source.split("/").some((part) => /^[._]/.test(part));
    into.refuse(isHidden, "sources", `${shown(source)}; Athena may hide what begins with . or _`);
    const outer = sources.find((other) => source.startsWith(`${other}/`));
    into.refuse(outer !== undefined, "sources", `${shown(source)} lies in ${shown(outer)}`);
  }
  const isTold = settings.arrivals !== "off" || settings.crawl === "events";
  const isMany = isTold && !settings.takeOver.includes("rawBucket") && rawFolders(settings).length > NOTIFICATIONS;
  const many = `${sources.length}, and S3 tells of ${NOTIFICATIONS} folders of a bucket; put them into one folder`;
  into.refuse(isMany, "sources", many);
  const tables = sources.map(tableName);
  const twice = tables.find((table, index) => tables.indexOf(table) !== index);
  into.refuse(twice !== undefined, "sources", `two of them would become the table \`${twice}\``);
}

/** The crawler's name for a folder's table, without the prefix. */
const tableName = (source: string) => (source.split("/").at(-1) ?? "").toLowerCase().replace(/[^a-z0-9_]/g, "_");

/** Published files that are crawled, or results that expire in another's folder, would be somebody's loss. */
function checkOverlaps(target: Target, settings: Settings, into: Findings) {
  const names = ["warehouse", "results", "state"] as const;
  const folders: [string, string][] = [
    ...names.map((name): [string, string] => [name, target[name] ?? ""]),
    ...crawledFolders(settings).map((folder): [string, string] => [folder, `s3://${settings.rawBucket}/${folder}/`]),
  ];
  for (const name of names) {
    const uri = target[name] ?? "";
    const others = folders.filter(([other]) => other !== name);
    const hit = others.find(([, its]) => overlaps(uri, its));
    into.refuse(hit !== undefined, name, `${shown(uri)} and ${shown(hit?.[1])} lie in each other`);
  }
}

export const overlaps = (one: string, other: string) =>
  one !== "" && other !== "" && (one.startsWith(other) || other.startsWith(one));

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
function bucketNameProblem(name: string, isMade: boolean): string | undefined {
  if (name.length < 3 || name.length > 63) return "a bucket's name has 3 to 63 characters";
  // A name of an account's own namespace, as CloudFormation here makes none. https://docs.aws.amazon.com/AmazonS3/latest/userguide/gpbucketnamespaces.html
  if (isMade && name.endsWith("-an")) return "S3 keeps `-an` for buckets of an account's own namespace";
  if (isMade && name.includes(".")) return "a dot in a bucket's name breaks TLS by host name";
  if (!/^[a-z0-9][a-z0-9.-]*[a-z0-9]$/.test(name)) {
    return "a bucket's name has lower-case letters, digits and -, and begins and ends with a letter or digit";
  }
  if (/\.\.|\.-|-\./.test(name)) return "a bucket's name has a letter or digit on each side of a dot";
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) return "a bucket's name is no IP address";
  const reserved = /^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/.exec(name);
  return reserved ? `S3 keeps \`${reserved[0]}\` for itself` : undefined;
}
