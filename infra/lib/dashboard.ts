import { Duration, Stack } from "aws-cdk-lib";
import { Dashboard, GraphWidget, Metric, Stats } from "aws-cdk-lib/aws-cloudwatch";
import { Construct } from "constructs";
import type { Metrics } from "./alarms.ts";
import type { At } from "./at.ts";

/** One page on how the pipeline is doing. */
export class Board extends Construct {
  constructor(scope: Construct, id: string, at: At, metrics: Metrics) {
    super(scope, id);
    const { region } = Stack.of(this);
    const graph = (title: string, ...left: Metric[]) => new GraphWidget({ title, left, region, width: 12 });
    const scanned = new Metric({
      namespace: "AWS/Athena",
      metricName: "ProcessedBytes",
      dimensionsMap: { WorkGroup: at.target.workgroup },
      statistic: Stats.SUM,
      period: Duration.hours(1),
    });
    const dead = [metrics.dead, metrics.arrivalsDead, metrics.eventsDead].filter((metric) => metric !== undefined);
    new Dashboard(this, "Dashboard", {
      dashboardName: at.name,
      widgets: [
        [graph("Runs ended", metrics.runs), graph("Seconds a run takes", metrics.runSeconds)],
        [
          graph("Failed and throttled invocations", metrics.errors, metrics.throttles),
          graph("Milliseconds an invocation takes", metrics.duration),
        ],
        [graph("Events that could not be handled", ...dead), graph("Bytes that Athena scanned", scanned)],
      ],
    });
  }
}
