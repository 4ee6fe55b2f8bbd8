import type { Folder } from "./at.ts";
import type { Settings } from "./settings.ts";

/** A policy names this many folders one by one; a role's policies have room for 10,240 characters in all. */
const ONE_BY_ONE = 40;

/** The folder that all sources lie in, without slashes around it; empty if they share none. */
export function parentOf(sources: string[]): string {
  const parents = new Set(sources.map((source) => source.split("/").slice(0, -1).join("/")));
  return parents.size === 1 ? [...parents][0]! : "";
}

/**
 * Folders that the crawler is given: one a source; by events the one that they share, since Glue then takes no more.
 * https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-event-notifications.html
 */
export function crawledFolders({ crawl, sources }: Settings): string[] {
  const parent = parentOf(sources);
  return crawl === "events" && parent !== "" ? [parent] : sources;
}

/** What roles may read and S3 tells of: the folders that are crawled, or the one that many share. */
export function rawFolders(settings: Settings): Folder[] {
  const crawled = crawledFolders(settings);
  const parent = parentOf(crawled);
  const folders = crawled.length > ONE_BY_ONE && parent !== "" ? [parent] : crawled;
  return folders.map((folder) => ({ bucket: settings.rawBucket, prefix: `${folder}/` }));
}
