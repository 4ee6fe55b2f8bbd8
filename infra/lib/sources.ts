import type { Folder } from "./at.ts";
import type { Settings } from "./settings.ts";

/** A policy names this many folders one by one; a role's policies have room for 10,240 characters in all. */
const ONE_BY_ONE = 40;

/** The folder that all sources lie in, without slashes around it; empty if they share none. */
export function parentOf(sources: string[]): string {
  const parents = new Set(sources.map((source) => source.split("/").slice(0, -1).join("/")));
  return parents.size === 1 ? [...parents][0]! : "";
}

/** Where raw files lie: a folder a source, or the one that many share. */
export function rawFolders({ rawBucket: bucket, sources }: Settings): Folder[] {
  const parent = parentOf(sources);
  const folders = sources.length > ONE_BY_ONE && parent !== "" ? [parent] : sources;
  return folders.map((folder) => ({ bucket, prefix: `${folder}/` }));
}
