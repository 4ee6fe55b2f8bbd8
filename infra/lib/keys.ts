import { Stack } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { type IKey, Key } from "aws-cdk-lib/aws-kms";
import { Construct } from "constructs";
import type { At } from "./at.ts";
import { removal } from "./removal.ts";

/** The key of buckets and topics: made here, taken over, or none. */
export class Keys extends Construct {
  readonly own: IKey | undefined;
  /** Every key that a role reading or writing the buckets uses. */
  readonly arns: string[];

  constructor(scope: Construct, id: string, at: At) {
    super(scope, id);
    const { key, otherKeys } = at.settings;
    if (key === "create") {
      const made = new Key(this, "Key", {
        description: `Buckets and alerts of ${at.name}`,
        enableKeyRotation: true,
        removalPolicy: removal(at),
      });
      made.addToResourcePolicy(servicesThatPublish(Stack.of(this).account));
      this.own = made;
    } else if (key !== "none") {
      this.own = Key.fromKeyArn(this, "Key", key);
    }
    this.arns = [...(this.own ? [this.own.keyArn] : []), ...otherKeys];
  }
}

/** Alarms and S3 publish to topics that this key encrypts. https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html */
function servicesThatPublish(account: string): PolicyStatement {
  return new PolicyStatement({
    sid: "ServicesThatPublish",
    principals: [new ServicePrincipal("cloudwatch.amazonaws.com"), new ServicePrincipal("s3.amazonaws.com")],
    actions: ["kms:Decrypt", "kms:GenerateDataKey"],
    resources: ["*"],
    conditions: { StringEquals: { "aws:SourceAccount": account } },
  });
}
