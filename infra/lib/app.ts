import { fileURLToPath } from "node:url";
import { project as folder } from "../settings.ts";
import { App, type AppProps } from "aws-cdk-lib";
import { type At, at } from "./at.ts";
import { assets } from "./parts.ts";
import { codeProblems } from "./code.ts";
import { type Project, readProject } from "./project.ts";
import type { Written } from "./settings.ts";
import { CrawlguardStack } from "./stack.ts";
import { check as checkOne, namedTwice, projectProblems, SettingsError } from "./check/index.ts";

/** The project that settings.ts names. */
export const here = (): Project => readProject(inInfra(folder), inInfra("../target/lambda/crawlguard-lambda"));

const inInfra = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** An app with the CDK's flags that the templates rely on. */
export const newApp = (props: AppProps = {}) =>
  new App({
    analyticsReporting: false,
    // ARNs with their partition written out: shorter to read, and the same in policies, findings and tests.
    postCliContext: { "@aws-cdk/core:enablePartitionLiterals": true, "@aws-cdk/core:checkSecretUsage": true },
    ...props,
  });

/** What each stack is made from; throws what is wrong with any of them at once. */
export function check(project: Project, settings: Record<string, Written>, now: Date): At[] {
  const problems = projectProblems(project);
  const checked = Object.entries(settings).flatMap(([name, written]) => {
    try {
      const { target, settings } = checkOne(name, project.targets[name], written, now);
      const is = at(project, name, target, settings);
      problems.push(...codeProblems(project.built, is));
      return [is];
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      problems.push(...error.problems);
      return [];
    }
  });
  problems.push(...namedTwice(checked));
  if (problems.length > 0) throw new SettingsError(problems);
  return checked;
}

/** A stack a target. */
export function addStacks(app: App, project: Project, settings: Record<string, Written>, now: Date): CrawlguardStack[] {
  return check(project, settings, now).map((is) => {
    const env = { account: is.target.account, region: is.target.region };
    return new CrawlguardStack(app, is.name, is, (stack) => assets(stack, is, project), { env });
  });
}
