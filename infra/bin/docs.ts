// Writes the settings table of docs/deploy.md.
import { readFileSync, writeFileSync } from "node:fs";
import { withTable } from "../lib/table.ts";

const path = new URL("../../docs/deploy.md", import.meta.url);
writeFileSync(path, withTable(readFileSync(path, "utf8")));
