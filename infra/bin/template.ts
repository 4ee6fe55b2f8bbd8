// Writes template.yaml: the target named (default: prod) without CDK.
import { writeFileSync } from "node:fs";
import { here } from "../lib/app.ts";
import { SettingsError } from "../lib/check/index.ts";
import { plainTemplate } from "../lib/plain.ts";
import { settings } from "../settings.ts";

const name = process.argv[2] ?? "prod";
try {
  const written = settings[name];
  if (!written) {
    throw new SettingsError([
      `settings.ts ${name}: there is no such target; it has ${Object.keys(settings).join(", ")}`,
    ]);
  }
  writeFileSync(new URL("../template.yaml", import.meta.url), plainTemplate(here(), name, written, new Date()));
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  console.error(error.message);
  process.exit(2);
}
