import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { parse } from "smol-toml";

/** A target of `crawlguard.toml` with `kind = "aws"`: the names that infra/ and crawlguard share. */
export interface Target {
  account?: string;
  region?: string;
  database: string;
  crawler?: string;
  raw_prefix: string;
  workgroup: string;
  warehouse: string;
  state: string;
  results?: string;
  topic: string;
}

/** The project that is deployed: its folder and what `crawlguard.toml` says. */
export interface Project {
  root: string;
  name: string;
  /** Folders that are deployed with `crawlguard.toml`, relative to the root. */
  folders: string[];
  targets: Record<string, Target>;
}

/** Reads `crawlguard.toml`. `crawlguard` itself checks the file in full; here only what is used is looked at. */
export function readProject(root: string): Project {
  const written = parse(readFileSync(join(root, "crawlguard.toml"), "utf8")) as Record<string, any>;
  const targets = Object.entries(written.targets ?? {}).filter(([, target]) => (target as any).kind === "aws");
  const filled = targets.map(([name, target]) => [name, { raw_prefix: "raw_", workgroup: "primary", ...(target as object) }]);
  return {
    root,
    name: String(written.project),
    folders: ["contracts", "sql", "alerts"].map((folder) => written[folder] ?? folder),
    targets: Object.fromEntries(filled),
  };
}

/** `s3://bucket/prefix/` in two; the prefix is empty or ends with a slash. */
export function folderOf(uri: string): { bucket: string; prefix: string } {
  const [bucket = "", ...rest] = uri.replace(/^s3:\/\//, "").split("/");
  const prefix = rest.join("/");
  return { bucket, prefix: prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/` };
}

/**
 * The project as the one object that the function reads, `project.json`: texts by path.
 *
 * The revision is the SHA-256 of each path and text in order, both ended by a zero byte: equal projects have equal ones.
 */
export function bundle(project: Project): { schema_version: 1; revision: string; files: Record<string, string>; pushed: { by: string } } {
  const paths = ["crawlguard.toml", ...project.folders.flatMap((folder) => filesUnder(project.root, folder))].sort();
  const files = Object.fromEntries(paths.map((path) => [path, readFileSync(join(project.root, path), "utf8")]));
  const hash = createHash("sha256");
  Object.entries(files).forEach(([path, text]) => hash.update(`${path}\0${text}\0`));
  return { schema_version: 1, revision: hash.digest("hex"), files, pushed: { by: "infra" } };
}

function filesUnder(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((path) => posix.join(folder, path.replaceAll("\\", "/")))
    .filter((path) => statSync(join(root, path)).isFile());
}
