import { Duration } from "aws-cdk-lib";
import {
  Alarm,
  type AlarmProps,
  ComparisonOperator,
  type IMetric,
  Metric,
  Stats,
  TreatMissingData,
} from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { FilterPattern, MetricFilter } from "aws-cdk-lib/aws-logs";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { At } from "./at.ts";
import type { Pipeline } from "./pipeline.ts";

/** Pages of docs/runbook, one an alarm: of every lake, and of those that files start, or that crawl by events. */
const PAGES = ["no-run", "not-started", "errors", "dead-letters", "throttles", "slow-run"] as const;
type Page = (typeof PAGES)[number] | "dead-arrivals" | "dead-events";

const alarmName = ({ name }: Pick<At, "name">, page: Page) => `${name}-${page}`;

/** The alarms' names, before they are made. */
export function alarmNames(at: Pick<At, "name" | "settings">): string[] {
  const { arrivals, crawl } = at.settings;
  const some: Page[] = [
    ...(arrivals === "off" ? [] : (["dead-arrivals"] as const)),
    ...(crawl === "events" ? (["dead-events"] as const) : []),
  ];
  return [...PAGES, ...some].map((page) => alarmName(at, page));
}

/** What raises an alarm. */
type Bad = Required<Pick<AlarmProps, "threshold" | "comparisonOperator" | "evaluationPeriods" | "treatMissingData">>;

const atLeast = (threshold: number): Bad => ({
  threshold,
  comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
  evaluationPeriods: 1,
  treatMissingData: TreatMissingData.NOT_BREACHING,
});

/** Nothing in any of the last hours. */
const none = (evaluationPeriods: number, treatMissingData: TreatMissingData): Bad => ({
  threshold: 1,
  comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
  evaluationPeriods,
  treatMissingData,
});

/** What is measured of the pipeline. */
export interface Metrics {
  runs: Metric;
  runSeconds: Metric;
  errors: Metric;
  throttles: Metric;
  duration: Metric;
  dead: Metric;
  invocations: Metric;
  arrivalsDead: Metric | undefined;
  eventsDead: Metric | undefined;
}

/** Dead letters of queues that only some lakes have. */
export interface DeadQueues {
  arrivals: Queue | undefined;
  events: Queue | undefined;
}

/** Alarms, mailed as alerts are. Each has a page in docs/runbook, which its description names. */
export class Alarms extends Construct {
  readonly metrics: Metrics;

  constructor(scope: Construct, id: string, at: At, topic: ITopic, pipeline: Pipeline, dead: DeadQueues) {
    super(scope, id);
    const { function: guard } = pipeline.guard;
    const quarter = Duration.minutes(15);
    this.metrics = {
      ...this.runMetrics(at, pipeline),
      errors: guard.metricErrors({ period: quarter }),
      throttles: guard.metricThrottles({ period: Duration.hours(1) }),
      duration: guard.metricDuration({ period: quarter, statistic: Stats.MAXIMUM }),
      invocations: guard.metricInvocations({ period: Duration.hours(1), statistic: Stats.SUM }),
      dead: messages(pipeline.dead),
      arrivalsDead: dead.arrivals && messages(dead.arrivals),
      eventsDead: dead.events && messages(dead.events),
    };
    const { metrics } = this;
    const alarm = (id: string, page: Page, says: string, metric: IMetric, bad: Bad) => {
      const made = new Alarm(this, id, {
        alarmName: alarmName(at, page),
        alarmDescription: `${says} See ${at.settings.docsUrl ?? "docs/"}runbook/${page}.md`,
        metric,
        ...bad,
      });
      made.addAlarmAction(new SnsAction(topic));
    };
    const { noRunHours, slowRunMinutes, throttlesAnHour } = at.settings;
    // Hours rather than one window of a day: yesterday's run may have been two hours faster than today's.
    // Silence means nothing here: while the function is alive, each hour has a number. So a new lake's alarm waits for its
    // hours, instead of going off, once and for all, before an address has been confirmed.
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    const late = `No run ended in the last ${noRunHours} hours.`;
    alarm("NoRun", "no-run", late, metrics.runs, none(noRunHours, TreatMissingData.IGNORE));
    // A new lake's goes off too, and is over with the first sweep.
    const idle = "Nothing has started the function for 2 hours.";
    alarm("NotStarted", "not-started", idle, metrics.invocations, none(2, TreatMissingData.BREACHING));
    alarm("Errors", "errors", "The function failed.", metrics.errors, atLeast(1));
    alarm("DeadLetters", "dead-letters", "An event could not be handled and is kept.", metrics.dead, atLeast(1));
    alarm("Throttles", "throttles", "Invocations were throttled.", metrics.throttles, atLeast(throttlesAnHour));
    const slow = `A run takes longer than ${slowRunMinutes} minutes.`;
    alarm("SlowRun", "slow-run", slow, metrics.runSeconds, atLeast(slowRunMinutes * 60));
    const kept = "A file's arrival could not be handled and is kept.";
    if (metrics.arrivalsDead) alarm("DeadArrivals", "dead-arrivals", kept, metrics.arrivalsDead, atLeast(1));
    const untold = "A file's arrival did not reach the crawler and is kept.";
    if (metrics.eventsDead) alarm("DeadEvents", "dead-events", untold, metrics.eventsDead, atLeast(1));
  }

  /** Read from the lines that src/lambda/log.rs writes: a run's end, and its age while it is open. */
  private runMetrics(at: At, pipeline: Pipeline): Pick<Metrics, "runs" | "runSeconds"> {
    const metricNamespace = at.name;
    const { log: logGroup } = pipeline.guard;
    const ended = FilterPattern.stringValue("$.fields.message", "=", "run ended");
    const open = FilterPattern.stringValue("$.fields.message", "=", "run open");
    new MetricFilter(this, "Runs", {
      logGroup,
      metricNamespace,
      metricName: "Runs",
      filterPattern: ended,
      metricValue: "1",
      // With each line of another kind, so at least with each sweep.
      defaultValue: 0,
    });
    new MetricFilter(this, "RunSeconds", {
      logGroup,
      metricNamespace,
      metricName: "RunSeconds",
      filterPattern: FilterPattern.any(ended, open),
      metricValue: "$.fields.seconds",
    });
    const period = Duration.hours(1);
    return {
      runs: new Metric({ namespace: metricNamespace, metricName: "Runs", statistic: Stats.SUM, period }),
      runSeconds: new Metric({
        namespace: metricNamespace,
        metricName: "RunSeconds",
        statistic: Stats.MAXIMUM,
        period: Duration.minutes(15),
      }),
    };
  }
}

const messages = (queue: Queue) => queue.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(5) });
