import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Validations } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { AwsSolutionsChecks } from "cdk-nag";
import { addStacks, here, newApp } from "../lib/app.ts";
import type { Project, Target } from "../lib/project.ts";
import type { Written } from "../lib/settings.ts";
import { settings } from "../settings.ts";

export const NOW = new Date("2026-01-02T03:04:05Z");
/** The project as it stands in the repository. */
export const repository = here();
/** Without `raw`, which has to follow each other `rawBucket` that is tried. */
export const project: Project = {
  ...repository,
  targets: Object.fromEntries(
    Object.entries(repository.targets).map(([name, { raw: _, ...target }]) => [name, target]),
  ),
};
export const prod = settings.prod!;

/** A lake that exists already and loads by event, with every option that the first user leaves off. */
export const existing: { target: Partial<Target>; written: Written } = {
  target: { topic: "arn:aws:sns:us-east-1:123456789012:existing-alerts" },
  written: {
    emails: ["lake@example.com", "on-call@example.com"],
    rawBucket: "existing-raw",
    sources: ["lake/orders", "lake/users"],
    takeOver: ["rawBucket", "results", "database", "workgroup", "topic"],
    key: "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",
    otherKeys: ["arn:aws:kms:us-east-1:123456789012:key/99999999-2222-3333-4444-555555555555"],
    catalogKey: "arn:aws:kms:us-east-1:123456789012:key/77777777-2222-3333-4444-555555555555",
    crawl: "events",
    csvClassifier: { delimiter: ",", quote: '"' },
    arrivals: "arn:aws:sns:us-east-1:123456789012:existing-arrivals",
    code: "image",
    architecture: "x86_64",
    reservedConcurrency: 0,
    accessLogBucket: "existing-logs",
    lakeFormation: true,
    onDestroy: "delete",
  },
};

const SCRATCH = mkdtempSync(join(tmpdir(), "crawlguard-"));
process.on("exit", () => rmSync(SCRATCH, { recursive: true, force: true }));

/** A folder that is gone when the tests are over. */
export const scratch = () => mkdtempSync(join(SCRATCH, "test-"));

/** An app that leaves nothing behind. */
export const scratchApp = () => newApp({ outdir: scratch(), context: { "aws:cdk:disable-stack-trace": true } });

export interface Resource {
  Type: string;
  Properties: Record<string, any>;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
}

/** A target synthesised as `cdk synth` does, with cdk-nag's findings. */
export function synth(written: Written, target: Partial<Target> = {}, name = "prod") {
  const changed: Project = {
    ...project,
    targets: { ...project.targets, [name]: { ...project.targets[name]!, ...target } },
  };
  const app = scratchApp();
  const [stack] = addStacks(app, changed, { [name]: written }, NOW);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const assembly = app.synth();
  const json = assembly.getStackByName(stack!.stackName).template as {
    Resources: Record<string, Resource>;
    Outputs: Record<string, any>;
  };
  const report = JSON.parse(readFileSync(join(assembly.directory, "validation-report.json"), "utf8"));
  return { json, template: Template.fromJSON(json), findings: findings(report) };
}

/** `rule at construct` of each finding. */
function findings(report: any): string[] {
  return report.pluginReports.flatMap((plugin: any) =>
    plugin.violations.flatMap((found: any) =>
      found.violatingConstructs.map((at: any) => `${found.ruleName} at ${at.constructPath}`),
    ),
  );
}

const cache = new Map<string, ReturnType<typeof synth>>();

/** The first user's prod target, and the existing lake, each synthesised once a test file. */
export const first = () => once("first", () => synth(prod));
export const taken = () => once("taken", () => synth(existing.written, existing.target));

function once(key: string, make: () => ReturnType<typeof synth>) {
  if (!cache.has(key)) cache.set(key, make());
  return cache.get(key)!;
}

export const ofType = (json: { Resources: Record<string, Resource> }, type: string) =>
  Object.entries(json.Resources).filter(([, resource]) => resource.Type === type);
