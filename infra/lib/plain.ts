import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DefaultStackSynthesizer } from "aws-cdk-lib";
import { stringify } from "yaml";
import { check, newApp } from "./app.ts";
import { parameters } from "./parts.ts";
import type { Project } from "./project.ts";
import type { Written } from "./settings.ts";
import { CrawlguardStack } from "./stack.ts";

/** The template of one target as YAML, for deployments without CDK: code and bundle are parameters. */
export function plainTemplate(project: Project, name: string, written: Written, now: Date): string {
  // Parameters can only name a zip.
  const [is] = check(project, { [name]: { ...written, code: "zip" } }, now);
  const outdir = mkdtempSync(join(tmpdir(), "crawlguard-"));
  const app = newApp({ outdir });
  const synthesizer = new DefaultStackSynthesizer({ generateBootstrapVersionRule: false });
  const { name: stackName, target } = is!;
  const env = { account: target.account, region: target.region };
  new CrawlguardStack(app, stackName, is!, (stack) => parameters(stack), { env, synthesizer });
  const template = app.synth().getStackByName(stackName).template;
  rmSync(outdir, { recursive: true });
  return stringify(template, { version: "1.1", lineWidth: 0, aliasDuplicateObjects: false, indentSeq: false });
}
