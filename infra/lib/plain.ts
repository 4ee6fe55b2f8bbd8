import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DefaultStackSynthesizer } from "aws-cdk-lib";
import { stringify } from "yaml";
import { newApp } from "./app.ts";
import { at } from "./at.ts";
import { parameters } from "./parts.ts";
import type { Project } from "./project.ts";
import type { Written } from "./settings.ts";
import { CrawlguardStack } from "./stack.ts";
import { check } from "./check/index.ts";

/** The template of one target as YAML, for deployments without CDK: code and bundle are parameters. */
export function plainTemplate(project: Project, name: string, written: Written, now: Date): string {
  const { target, settings } = check(name, project.targets[name], written, now);
  if (settings.code === "image") settings.code = "zip";
  const outdir = mkdtempSync(join(tmpdir(), "crawlguard-"));
  const app = newApp({ outdir });
  const is = at(project, name, target, settings);
  const synthesizer = new DefaultStackSynthesizer({ generateBootstrapVersionRule: false });
  const env = { account: target.account, region: target.region };
  new CrawlguardStack(app, is.name, is, (stack) => parameters(stack), { env, synthesizer });
  const template = app.synth().getStackByName(is.name).template;
  rmSync(outdir, { recursive: true });
  return stringify(template, { version: "1.1", lineWidth: 0, aliasDuplicateObjects: false, indentSeq: false });
}
