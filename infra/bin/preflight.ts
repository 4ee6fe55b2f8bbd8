// Asks the account, by the AWS CLI, whether a deployment of the targets named (default: all) would fail on what is there.
import { spawnSync } from "node:child_process";
import { check, here } from "../lib/app.ts";
import { SettingsError } from "../lib/check/index.ts";
import { preflight } from "../lib/preflight/index.ts";
import { settings } from "../settings.ts";
import { orRefused, targetsNamed } from "./refused.ts";

const asked = process.argv.slice(2);
const names = orRefused(() => {
  const names = targetsNamed(settings, asked.length > 0 ? asked : Object.keys(settings));
  const looked = check(here(), settings, new Date())
    .filter((is) => names.includes(is.targetName))
    .map((is) =>
      preflight(is, settings[is.targetName]!, (args) => {
        const { error, status, stdout, stderr } = spawnSync("aws", args, { encoding: "utf8" });
        if (error) throw new SettingsError([`the AWS CLI cannot be started: ${error.message}`]);
        return { status, stdout, stderr };
      }),
    );
  for (const note of looked.flatMap(({ notes }) => notes)) console.error(`note: ${note}`);
  const problems = looked.flatMap(({ problems }) => problems);
  if (problems.length > 0) throw new SettingsError(problems);
  return names;
});
console.log(`${names.join(", ")}: every name is free or there, as the settings want it.
Whether contracts and models can be read, crawlguard says: run \`crawlguard doctor --target NAME\` in the project's folder.`);
