// Writes the project as one file and prints its path; for deployments without CDK.
import { here } from "../lib/app.ts";
import { writeBundle } from "../lib/parts.ts";

console.log(writeBundle(here()).path);
