import { CfnOutput, Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";
import { Alarms } from "./alarms.ts";
import { Alerts } from "./alerts.ts";
import { Arrivals, arrivalsTopic } from "./arrivals.ts";
import type { At } from "./at.ts";
import { Buckets } from "./buckets.ts";
import { Catalog } from "./catalog.ts";
import { Board } from "./dashboard.ts";
import { Deployment } from "./deployment.ts";
import { Keys } from "./keys.ts";
import { LakeFormation } from "./lake-formation.ts";
import type { Parts } from "./parts.ts";
import { refuseLongPolicies, refuseManyResources } from "./limits.ts";
import { rawFolders } from "./sources.ts";
import { Pipeline } from "./pipeline.ts";
import { Triggers } from "./triggers.ts";
import { WorkGroup } from "./workgroup.ts";

/** All that one target needs in its account. */
export class CrawlguardStack extends Stack {
  constructor(scope: Construct, id: string, at: At, parts: (stack: Stack) => Parts, props: StackProps) {
    super(scope, id, { description: `crawlguard: ${at.target.database}`, ...props });
    const { settings } = at;
    const made = parts(this);
    const keys = new Keys(this, "Keys", at);
    const arrivals = arrivalsTopic(this, at, keys);
    new Buckets(this, "Buckets", at, keys, arrivals);
    const catalog = new Catalog(this, "Catalog", at, keys, arrivals);
    new WorkGroup(this, "Queries", at, keys);
    const alerts = new Alerts(this, "Alerts", at, keys);
    const byEvent = arrivals && settings.arrivals !== "off" ? new Arrivals(this, "Arrivals", at, arrivals) : undefined;
    const pipeline = new Pipeline(this, "Pipeline", at, keys, made, byEvent?.queue);
    byEvent?.start(pipeline.guard.function);
    if (at.target.receipts) alerts.keepReceipts(at, pipeline.guard.function);
    new Triggers(this, "Triggers", at, pipeline);
    const alarms = new Alarms(this, "Alarms", at, alerts.topic, pipeline, {
      arrivals: byEvent?.dead,
      events: catalog.dead,
    });
    new Board(this, "Board", at, alarms.metrics);
    if (settings.lakeFormation) {
      const grants = new LakeFormation(this, "LakeFormation", at, pipeline.guard.role.roleArn, catalog);
      // Nothing crawls or builds before it may: all that starts the function needs the function.
      [catalog.crawler, pipeline.guard.function.node.defaultChild].forEach((it) => it?.node.addDependency(grants));
    }

    // Last of all: a deployment that fails before has not touched the project, and one that the project refuses rolls back
    // what stands complete.
    const others = this.node.children;
    const deployment = new Deployment(this, "Deployment", at, keys, made);
    deployment.project.node.addDependency(...others);

    this.tell(at, pipeline);
    const dead = { DeadLetters: pipeline.dead, DeadArrivals: byEvent?.dead, DeadEvents: catalog.dead };
    for (const [id, queue] of Object.entries(dead)) {
      if (queue) new CfnOutput(this, id, { description: "Messages that could not be handled", value: queue.queueUrl });
    }
    if (arrivals && !at.makes("rawBucket")) {
      const description = "The raw bucket has to tell this topic of new files; preflight says whether it does";
      new CfnOutput(this, "Arrived", { description, value: arrivals.topicArn });
    }
    refuseLongPolicies(this, at);
    refuseManyResources(this, at);
  }

  /** Where files go, and what the runbook asks for. */
  private tell(at: At, pipeline: Pipeline) {
    const { rawBucket, sources } = at.settings;
    rawFolders(at.settings).forEach(({ prefix }, index) => {
      const shared = prefix === `${sources[index]}/` ? "" : "SOURCE/";
      const description = shared ? "New files go to" : `New files of ${sources[index]} go to`;
      const value = `s3://${rawBucket}/${prefix}${shared}dt=YYYY-MM-DD/`;
      new CfnOutput(this, `Source${index + 1}`, { description, value });
    });
    new CfnOutput(this, "Function", { value: pipeline.guard.function.functionName });
  }
}
