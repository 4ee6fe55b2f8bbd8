import { CustomResource, Duration, Stack } from "aws-cdk-lib";
import { Construct } from "constructs";
import type { At } from "./at.ts";
import { GuardFunction } from "./function.ts";
import type { Keys } from "./keys.ts";
import type { Parts } from "./parts.ts";
import { deployPolicy } from "./permissions.ts";

/**
 * Contracts, SQL, alerts and settings, deployed into the state bucket as one object, `project.json`.
 *
 * The same binary does it, as a function of its own with rights of its own. It fast-forwards: if what is deployed holds
 * acceptances that the bundle lacks, the deployment fails, says which, and nothing is overwritten. Removing the stack
 * leaves the object.
 */
export class Deployment extends Construct {
  readonly project: CustomResource;

  constructor(scope: Construct, id: string, at: At, keys: Keys, { code, bundle }: Parts) {
    super(scope, id);
    const deployer = new GuardFunction(this, "Deployer", at, {
      functionName: `${at.name}-deploy`,
      description: `Deploys the project of ${at.name}`,
      code,
      // src/lambda/deploy.rs is done with an answer within this, whatever it waits for.
      timeout: Duration.seconds(120),
      policy: (log) => deployPolicy(Stack.of(this), at, keys, log, bundle),
    });
    this.project = new CustomResource(this, "Project", {
      resourceType: "Custom::CrawlguardProject",
      // Enough for an answer that is lost: Lambda tries again after a minute. CloudFormation would wait for an hour.
      serviceTimeout: Duration.minutes(6),
      serviceToken: deployer.function.functionArn,
      properties: { Bundle: `s3://${bundle.bucket}/${bundle.key}`, Digest: bundle.revision },
    });
  }
}
