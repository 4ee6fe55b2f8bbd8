// Writes the project as one file and prints its path; for deployments without CDK.
import { here } from "../lib/app.ts";
import { projectProblems, SettingsError } from "../lib/check/index.ts";
import { writeBundle } from "../lib/parts.ts";
import { orRefused } from "./refused.ts";

orRefused(() => {
  const project = here();
  const problems = projectProblems(project);
  if (problems.length > 0) throw new SettingsError(problems);
  console.log(writeBundle(project).path);
});
