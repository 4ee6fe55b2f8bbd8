import type { Project } from "./project.ts";
import { folderOf } from "./project.ts";
import type { Existing, Settings } from "./settings.ts";
import type { Complete } from "./check/index.ts";

/** A folder of a bucket: where objects lie, and under which ARN. */
export interface Folder {
  bucket: string;
  prefix: string;
}

/** What every construct of one target is made from. */
export interface At {
  /** `crawlguard-project-target`: names what `crawlguard.toml` does not. */
  name: string;
  /** The project's name, as alerts carry it. */
  project: string;
  targetName: string;
  target: Complete;
  settings: Settings;
  warehouse: Folder;
  results: Folder;
  state: Folder;
  /** Whether a resource is made here, not taken over. */
  makes: (resource: Existing) => boolean;
}

export function at(project: Project, targetName: string, target: Complete, settings: Settings): At {
  return {
    name: `crawlguard-${project.name}-${targetName}`.toLowerCase().replace(/[^a-z0-9-]+/g, "-"),
    project: project.name,
    targetName,
    target,
    settings,
    warehouse: folderOf(target.warehouse),
    results: folderOf(target.results),
    state: folderOf(target.state),
    makes: (resource) => !settings.takeOver.includes(resource),
  };
}
