import { Duration } from "aws-cdk-lib";
import { EventField, type EventPattern, Rule, RuleTargetInput, Schedule } from "aws-cdk-lib/aws-events";
import { LambdaFunction, type LambdaFunctionProps } from "aws-cdk-lib/aws-events-targets";
import { Construct } from "constructs";
import type { At } from "./at.ts";
import type { Pipeline } from "./pipeline.ts";

/** The events that start the function. EventBridge gives what it cannot deliver to the dead-letter queue. */
export class Triggers extends Construct {
  constructor(scope: Construct, id: string, at: At, pipeline: Pipeline) {
    super(scope, id);
    const { settings, target } = at;
    const deliver = (retry: LambdaFunctionProps) =>
      new LambdaFunction(pipeline.guard.function, { deadLetterQueue: pipeline.dead, ...retry });
    const onEvent = (id: string, description: string, eventPattern: EventPattern, retry: LambdaFunctionProps) =>
      new Rule(this, id, {
        ruleName: `${at.name}-${id.toLowerCase()}`,
        description,
        eventPattern,
        targets: [deliver(retry)],
      });
    const onTime = (
      id: string,
      description: string,
      schedule: Schedule,
      event: RuleTargetInput,
      retry: LambdaFunctionProps,
    ) =>
      new Rule(this, id, {
        ruleName: `${at.name}-${id.toLowerCase()}`,
        description,
        schedule,
        targets: [deliver({ event, ...retry })],
      });

    onEvent(
      "Crawled",
      `The crawler ${target.crawler} ended`,
      {
        source: ["aws.glue"],
        detailType: ["Glue Crawler State Change"],
        detail: { crawlerName: [target.crawler], state: ["Succeeded", "Failed"] },
      },
      { maxEventAge: Duration.hours(6), retryAttempts: 30 },
    );
    // The sweep finds what these miss, so they need not be tried for long.
    onEvent(
      "Queried",
      `A query of the workgroup ${target.workgroup} ended`,
      {
        source: ["aws.athena"],
        detailType: ["Athena Query State Change"],
        detail: { workgroupName: [target.workgroup], currentState: ["SUCCEEDED", "FAILED", "CANCELLED"] },
      },
      { maxEventAge: Duration.minutes(15), retryAttempts: 5 },
    );
    onTime(
      "Daily",
      "The daily build",
      Schedule.expression(settings.dailySchedule),
      RuleTargetInput.fromObject({ command: "daily", time: EventField.time }),
      { maxEventAge: Duration.hours(12), retryAttempts: 60 },
    );
    onTime(
      "Sweep",
      "Picks up what lost events left",
      Schedule.rate(Duration.minutes(settings.sweepMinutes)),
      RuleTargetInput.fromObject({ command: "sweep" }),
      // The next one comes anyway.
      { maxEventAge: Duration.minutes(settings.sweepMinutes), retryAttempts: 1 },
    );
  }
}
