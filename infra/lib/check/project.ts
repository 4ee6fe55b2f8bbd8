import { bundle, type Project } from "../project.ts";

/**
 * What of a project's texts can be seen to be wrong here. Whether contracts and models mean what they should, only
 * crawlguard itself knows; a deployment asks it last of all.
 */
export function projectProblems(project: Project): string[] {
  if (project.name === "") return ["crawlguard.toml project: not set; alerts show it"];
  try {
    const { files } = bundle(project);
    return Object.entries(files).flatMap(([path, text]) => textProblem(path, text) ?? []);
  } catch (error) {
    return [`settings.ts project: ${(error as Error).message}`];
  }
}

function textProblem(path: string, text: string): string | undefined {
  if (path.endsWith(".sql") && text.trim() === "") return `${path}: empty; write a SELECT, or remove the file`;
  if (!path.endsWith(".json")) return undefined;
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return `${path}: ${(error as Error).message}`;
  }
}
