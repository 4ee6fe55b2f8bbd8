import { Duration, Stack } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { Function } from "aws-cdk-lib/aws-lambda";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { type ITopic, Topic } from "aws-cdk-lib/aws-sns";
import { SqsSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { At } from "./at.ts";
import type { Keys } from "./keys.ts";

/** Invocations at once that the queue of arrivals starts: the least that can be set. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html */
export const QUEUE_TAKES = 2;

/** Whether anything starts on files that arrive. */
export const listens = ({ settings }: Pick<At, "settings">) =>
  settings.arrivals !== "off" || settings.crawl === "events";

const arrivalsName = ({ name }: At) => `${name}-arrivals`;

/** The topic that S3 has to tell, by its ARN. */
export const arrivalsArn = (at: At) =>
  at.settings.arrivals.startsWith("arn:")
    ? at.settings.arrivals
    : [...at.target.topic.split(":").slice(0, 3), at.target.region, at.target.account, arrivalsName(at)].join(":");

/** The topic that S3 tells of new files; undefined if nothing listens. */
export function arrivalsTopic(scope: Construct, at: At, keys: Keys): ITopic | undefined {
  const { arrivals, rawBucket } = at.settings;
  if (!listens(at)) return undefined;
  if (arrivals.startsWith("arn:")) return Topic.fromTopicArn(scope, "ArrivalsTopic", arrivals);
  const topic = new Topic(scope, "ArrivalsTopic", {
    // A bucket that outlives its stack goes on telling this name, so a stack made anew hears it.
    topicName: arrivalsName(at),
    displayName: `${at.name} arrivals`,
    enforceSSL: true,
    masterKey: keys.own,
  });
  const { account, partition } = Stack.of(scope);
  topic.addToResourcePolicy(
    new PolicyStatement({
      sid: "RawBucketPublishes",
      principals: [new ServicePrincipal("s3.amazonaws.com")],
      actions: ["sns:Publish"],
      resources: [topic.topicArn],
      conditions: {
        ArnEquals: { "aws:SourceArn": `arn:${partition}:s3:::${rawBucket}` },
        StringEquals: { "aws:SourceAccount": account },
      },
    }),
  );
  return topic;
}

/** How long arrivals wait for their neighbours. */
const BATCH = Duration.minutes(1);

/** The way from arriving files to the function, for lakes that load by event. */
export class Arrivals extends Construct {
  readonly queue: Queue;
  readonly dead: Queue;

  constructor(scope: Construct, id: string, at: At, topic: ITopic) {
    super(scope, id);
    // Lambda's advice: six times the function's timeout; beside that a message waits for its batch.
    // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    const visible = Duration.seconds(6 * at.settings.timeoutSeconds + BATCH.toSeconds());
    [this.queue, this.dead] = subscribedQueue(this, "Queue", topic, visible);
  }

  /** Many files of one load are one start: a batch waits for its neighbours. */
  start(handler: Function) {
    handler.addEventSource(
      new SqsEventSource(this.queue, {
        batchSize: 100,
        maxBatchingWindow: BATCH,
        maxConcurrency: QUEUE_TAKES,
        reportBatchItemFailures: true,
      }),
    );
  }
}

/** A queue that gets a topic's messages as they were sent, and the queue of those that failed five times. */
export function subscribedQueue(scope: Construct, id: string, topic: ITopic, visible: Duration): [Queue, Queue] {
  const common = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true, retentionPeriod: Duration.days(14) };
  const dead = new Queue(scope, `${id}Dead`, common);
  const queue = new Queue(scope, id, {
    ...common,
    visibilityTimeout: visible,
    deadLetterQueue: { queue: dead, maxReceiveCount: 5 },
  });
  topic.addSubscription(new SqsSubscription(queue, { rawMessageDelivery: true }));
  return [queue, dead];
}
