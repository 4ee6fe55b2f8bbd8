import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { parse } from "smol-toml";
import { SettingsError } from "./check/findings.ts";

/** A target of `crawlguard.toml` with `kind = "aws"`: the names that infra/ and crawlguard share. */
export interface Target {
  account?: string;
  region?: string;
  database: string;
  raw?: string;
  crawler?: string;
  raw_prefix: string;
  workgroup: string;
  warehouse: string;
  state: string;
  results?: string;
  topic: string;
  receipts?: boolean;
}

/** The project that is deployed: its folder and what `crawlguard.toml` says. */
export interface Project {
  root: string;
  /** The folder that `cargo lambda build` fills. */
  built: string;
  name: string;
  /** Folders that are deployed with `crawlguard.toml`, relative to the root. */
  folders: string[];
  targets: Record<string, Target>;
}

const FOLDERS = ["contracts", "sql", "alerts"];

/** As src/config.rs has them; test/settings.test.ts holds both against each other. */
export const TARGET_DEFAULTS = { raw_prefix: "raw_", workgroup: "primary" };

/** Reads `crawlguard.toml`. `crawlguard` itself checks the file in full; here only what is used is looked at. */
export function readProject(root: string, built: string): Project {
  const written = readSettings(join(root, "crawlguard.toml"));
  const targets = Object.entries(written.targets ?? {}).filter(([, target]) => (target as any).kind === "aws");
  const filled = targets.map(([name, target]) => [name, { ...TARGET_DEFAULTS, ...(target as object) }]);
  return {
    root,
    built,
    name: String(written.project ?? ""),
    folders: FOLDERS.map((folder) => written[folder] ?? folder),
    targets: Object.fromEntries(filled),
  };
}

function readSettings(path: string): Record<string, any> {
  try {
    return parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new SettingsError([`settings.ts project: ${path} cannot be read: ${(error as Error).message}`]);
  }
}

/** `s3://bucket/prefix/` in two; the prefix is empty or ends with a slash. */
export function folderOf(uri: string): { bucket: string; prefix: string } {
  const [bucket = "", ...rest] = uri.replace(/^s3:\/\//, "").split("/");
  const prefix = rest.join("/");
  return { bucket, prefix: prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/` };
}

/** The project as one object, as src/pipeline/bundle.rs reads it. */
export interface Bundle {
  schema_version: 1;
  /** SHA-256 of `files` as JSON, its paths in order. */
  revision: string;
  /** Who deployed it; the function adds when. */
  pushed: { who: string; at: string; why: null };
  /** Texts by path. */
  files: Record<string, string>;
}

/** `crawlguard.toml`, contracts, models and alert templates, as `project.json` holds them. */
export function bundle(project: Project): Bundle {
  const paths = ["crawlguard.toml", ...project.folders.flatMap((folder) => filesIn(project.root, folder))].sort();
  const files = Object.fromEntries(paths.map((path) => [path, readFileSync(join(project.root, path), "utf8")]));
  const revision = createHash("sha256").update(JSON.stringify(files)).digest("hex");
  return { schema_version: 1, revision, pushed: { who: "infra", at: "", why: null }, files };
}

function filesIn(root: string, folder: string): string[] {
  // As for a run: a project need not have a folder of the usual name.
  if (FOLDERS.includes(folder) && !existsSync(join(root, folder))) return [];
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith(".") && !entry.name.endsWith(".bak"))
    .map((entry) => posix.join(folder, entry.name));
}
