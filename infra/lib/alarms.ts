import { Duration } from "aws-cdk-lib";
import { Alarm, ComparisonOperator, type IMetric, Metric, Stats, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { FilterPattern, MetricFilter } from "aws-cdk-lib/aws-logs";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import type { Arrivals } from "./arrivals.ts";
import type { At } from "./at.ts";
import type { Pipeline } from "./pipeline.ts";

/** What is measured of the pipeline. */
export interface Metrics {
  runs: Metric;
  runSeconds: Metric;
  errors: Metric;
  throttles: Metric;
  duration: Metric;
  dead: Metric;
  arrivalsDead: Metric | undefined;
}

/** Alarms, mailed as alerts are. Each has a page in docs/runbook, which its description names. */
export class Alarms extends Construct {
  readonly metrics: Metrics;

  constructor(scope: Construct, id: string, at: At, topic: ITopic, pipeline: Pipeline, arrivals: Arrivals | undefined) {
    super(scope, id);
    const { function: guard } = pipeline.guard;
    const quarter = Duration.minutes(15);
    this.metrics = {
      ...this.runMetrics(at, pipeline),
      errors: guard.metricErrors({ period: quarter }),
      throttles: guard.metricThrottles({ period: Duration.hours(1) }),
      duration: guard.metricDuration({ period: quarter, statistic: Stats.MAXIMUM }),
      dead: pipeline.dead.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(5) }),
      arrivalsDead: arrivals?.dead.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(5) }),
    };
    const { metrics } = this;
    const alarm = (
      id: string,
      page: string,
      says: string,
      metric: IMetric,
      threshold: number,
      evaluationPeriods = 1,
    ) => {
      const isLess = id === "NoRun";
      const made = new Alarm(this, id, {
        alarmName: `${at.name}-${page}`,
        alarmDescription: `${says} See ${at.settings.docsUrl ?? "docs/"}runbook/${page}.md`,
        metric,
        threshold,
        evaluationPeriods,
        comparisonOperator: isLess
          ? ComparisonOperator.LESS_THAN_THRESHOLD
          : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: isLess ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
      });
      made.addAlarmAction(new SnsAction(topic));
    };
    // Hours rather than one window of a day: yesterday's run may have been two hours faster than today's.
    alarm("NoRun", "no-run", "No run ended in the last 26 hours.", metrics.runs, 1, 26);
    alarm("Errors", "errors", "The function failed.", metrics.errors, 1);
    alarm("DeadLetters", "dead-letters", "An event could not be handled and is kept.", metrics.dead, 1);
    alarm("Throttles", "throttles", "Invocations were throttled.", metrics.throttles, at.settings.throttlesAnHour);
    alarm(
      "SlowRun",
      "slow-run",
      `A run takes longer than ${at.settings.slowRunMinutes} minutes.`,
      metrics.runSeconds,
      at.settings.slowRunMinutes * 60,
    );
    if (metrics.arrivalsDead)
      alarm(
        "DeadArrivals",
        "dead-arrivals",
        "A file's arrival could not be handled and is kept.",
        metrics.arrivalsDead,
        1,
      );
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
