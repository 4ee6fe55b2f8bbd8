// Writes template.yaml: the target named (default: prod) without CDK.
import { writeFileSync } from "node:fs";
import { here } from "../lib/app.ts";
import { plainTemplate } from "../lib/plain.ts";
import { settings } from "../settings.ts";

const name = process.argv[2] ?? "prod";
const written = settings[name];
if (!written) throw new Error(`settings.ts has no ${name}; it has ${Object.keys(settings).join(", ")}`);
writeFileSync(new URL("../template.yaml", import.meta.url), plainTemplate(here(), name, written, new Date()));
