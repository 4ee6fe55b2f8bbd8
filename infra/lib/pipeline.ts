import { Duration, Stack } from "aws-cdk-lib";
import { SqsDestination } from "aws-cdk-lib/aws-lambda-destinations";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { argued } from "./argued.ts";
import type { At } from "./at.ts";
import { GuardFunction } from "./function.ts";
import type { Keys } from "./keys.ts";
import type { Parts } from "./parts.ts";
import { arguePipelineWildcards, pipelinePolicy } from "./permissions.ts";
import { allow } from "./statement.ts";

/** The function that compares, builds and publishes, and the queue of events that it could not handle. */
export class Pipeline extends Construct {
  readonly guard: GuardFunction;
  readonly dead: Queue;

  constructor(scope: Construct, id: string, at: At, keys: Keys, parts: Parts, arrivalsQueue?: Queue) {
    super(scope, id);
    this.dead = new Queue(this, "Dead", {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    argued(this.dead, "SQS3", "It is a dead-letter queue, of rules and of the function's own failures");
    const own = [allow("KeepFailedEvents", ["sqs:SendMessage"], [this.dead.queueArn])];
    if (arrivalsQueue)
      own.push(
        allow(
          "TakeArrivals",
          ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
          [arrivalsQueue.queueArn],
        ),
      );
    this.guard = new GuardFunction(this, "Guard", at, {
      functionName: at.name,
      description: `Compares, builds and publishes ${at.target.database}`,
      code: parts.code,
      policy: (log) => pipelinePolicy(Stack.of(this), at, keys, log, own),
      // State is written under conditions, so several at once are safe, but whoever loses works for nothing; and a flood of
      // events may not use up the account's quota. A build of a few models ends several queries in one second: hence not 1.
      reservedConcurrency: at.settings.reservedConcurrency || undefined,
      timeout: Duration.seconds(at.settings.timeoutSeconds),
      onFailure: new SqsDestination(this.dead),
    });
    arguePipelineWildcards(this.guard.role, at);
  }
}
