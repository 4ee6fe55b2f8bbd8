// Writes template.yaml: the target named (default: prod) without CDK.
import { writeFileSync } from "node:fs";
import { here } from "../lib/app.ts";
import { plainTemplate } from "../lib/plain.ts";
import { settings } from "../settings.ts";
import { orRefused, targetsNamed } from "./refused.ts";

orRefused(() => {
  const [name = "prod"] = targetsNamed(settings, process.argv.slice(2, 3));
  const template = plainTemplate(here(), name, settings[name]!, new Date());
  writeFileSync(new URL("../template.yaml", import.meta.url), template);
});
