import { Stack } from "aws-cdk-lib";
import { AccountRootPrincipal, PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { Function } from "aws-cdk-lib/aws-lambda";
import { type ITopic, SubscriptionFilter, Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription, LambdaSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import { Construct } from "constructs";
import type { At } from "./at.ts";
import type { Keys } from "./keys.ts";
import { holdsData } from "./removal.ts";

/** The topic that alerts and alarms go to, and who is mailed. */
export class Alerts extends Construct {
  readonly topic: ITopic;

  constructor(scope: Construct, id: string, at: At, keys: Keys) {
    super(scope, id);
    const { emails } = at.settings;
    this.topic = at.makes("topic") ? this.make(at, keys) : Topic.fromTopicArn(this, "Topic", at.target.topic);
    emails.forEach((email) => this.topic.addSubscription(new EmailSubscription(email)));
  }

  /** Has the function keep each alert of the project's target as its receipt; alarms go to the topic too, and are none. */
  keepReceipts(at: At, keeper: Function) {
    const is = (value: string) => SubscriptionFilter.stringFilter({ allowlist: [value] });
    const filterPolicy = {
      project: is(at.project),
      target: is(at.targetName),
      run_id: SubscriptionFilter.existsFilter(),
    };
    this.topic.addSubscription(new LambdaSubscription(keeper, { filterPolicy }));
  }

  private make(at: At, keys: Keys): Topic {
    const topic = new Topic(this, "Topic", {
      topicName: at.target.topic.split(":").at(-1)!,
      displayName: at.name,
      enforceSSL: true,
      masterKey: keys.own,
    });
    holdsData(topic, at);
    // A policy of one's own replaces SNS's default one: what it does not allow, nobody may.
    const { account } = Stack.of(this);
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: "ThisAccountPublishes",
        principals: [new AccountRootPrincipal()],
        actions: ["sns:Publish"],
        resources: [topic.topicArn],
      }),
    );
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: "AlarmsPublish",
        principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
        actions: ["sns:Publish"],
        resources: [topic.topicArn],
        conditions: { StringEquals: { "aws:SourceAccount": account } },
      }),
    );
    return topic;
  }
}
