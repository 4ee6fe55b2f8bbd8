// One process for all test files: loading the CDK takes longer than the tests.
import { readdirSync } from "node:fs";

const files = readdirSync(new URL(".", import.meta.url)).filter((name) => name.endsWith(".test.ts"));
for (const file of files) await import(`./${file}`);
