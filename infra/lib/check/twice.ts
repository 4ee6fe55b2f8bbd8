import { arrivalsArn, listens } from "../arrivals.ts";
import type { At } from "../at.ts";
import { overlaps } from "./folders.ts";

/** A function's name has 64 characters, and `-deploy` and the like are put behind. */
const LONGEST = 56;

/** Names that several targets, or two topics of one, make or use, where each needs its own; and those too long to make others of. */
export function namedTwice(targets: At[]): string[] {
  return targets.flatMap((one, index) => {
    const long = `crawlguard.toml project: the name \`${one.name}\` is longer than ${LONGEST}; shorten project or target`;
    const twice = targets.slice(0, index).flatMap((other) => [...sameNames(one, other), ...sameFolders(one, other)]);
    return [...(one.name.length > LONGEST ? [long] : []), ...sameTopic(one), ...twice];
  });
}

/** S3's notices would be mailed, and alerts taken for files. */
function sameTopic(one: At): string[] {
  const { arrivals } = one.settings;
  if (!listens(one) || arrivalsArn(one) !== one.target.topic) return [];
  const is = "is the topic of alerts and of arrivals";
  const isNamed = arrivals === one.target.topic;
  return [
    `${isNamed ? `settings.ts ${one.targetName}.arrivals` : place(one, "topic")}: "${one.target.topic}" ${is}; name another`,
  ];
}

/** What a name is unique in: buckets in the world, the rest in an account's region. */
function sameNames(one: At, other: At): string[] {
  const isNear = one.target.account === other.target.account && one.target.region === other.target.region;
  const found = names(one).filter(([setting, name]) => {
    const isBucket = BUCKETS.includes(setting);
    return (
      (isNear || isBucket) && one.makes(setting as never) && names(other).some((its) => same([setting, name], its))
    );
  });
  const stacks = isNear && one.name === other.name ? [["name of the stack", one.name] as Named] : [];
  return [...found, ...stacks].map(
    ([setting, name]) =>
      `${place(one, setting)}: "${name}" is ${other.targetName}'s already; name another, or take it over`,
  );
}

const BUCKETS = ["rawBucket", "warehouse", "results", "state"];

type Named = [setting: string, name: string];

const same = ([setting, name]: Named, [otherSetting, other]: Named) =>
  name === other && (setting === otherSetting || (BUCKETS.includes(setting) && BUCKETS.includes(otherSetting)));

const names = ({ target, settings, warehouse, results, state }: At): Named[] => [
  ["rawBucket", settings.rawBucket],
  ["warehouse", warehouse.bucket],
  ["results", results.bucket],
  ["state", state.bucket],
  ["database", target.database],
  ["crawler", target.crawler],
  ["workgroup", target.workgroup],
  ["topic", target.topic],
];

/** One state, or one place of published files, for two targets would be two queues over one database. */
function sameFolders(one: At, other: At): string[] {
  const settings = (["warehouse", "state"] as const).filter((setting) =>
    overlaps(one.target[setting], other.target[setting]),
  );
  return settings.map(
    (setting) => `${place(one, setting)}: "${one.target[setting]}" and ${other.targetName}'s lie in each other`,
  );
}

const place = ({ targetName }: At, setting: string) =>
  setting === "rawBucket" ? `settings.ts ${targetName}.rawBucket` : `crawlguard.toml targets.${targetName}.${setting}`;
