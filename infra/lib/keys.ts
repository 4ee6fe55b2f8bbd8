import { Stack } from "aws-cdk-lib";
import { AnyPrincipal, PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { type IKey, Key } from "aws-cdk-lib/aws-kms";
import { Construct } from "constructs";
import { listens } from "./arrivals.ts";
import type { At } from "./at.ts";
import { holdsData } from "./removal.ts";
import { allow } from "./statement.ts";

/** What it takes to publish to a topic that a key encrypts, and to read and write a bucket. */
export const USE = ["kms:Decrypt", "kms:GenerateDataKey"];

/** The key of buckets and topics: made here, taken over, or none. */
export class Keys extends Construct {
  readonly own: IKey | undefined;
  /** Every key that a role reading or writing the buckets uses. */
  readonly arns: string[];

  constructor(scope: Construct, id: string, at: At) {
    super(scope, id);
    const { key, lakeFormation, otherKeys } = at.settings;
    if (key === "create") {
      const made = new Key(this, "Key", {
        description: `Buckets and alerts of ${at.name}`,
        enableKeyRotation: true,
      });
      holdsData(made, at);
      const { account, partition } = Stack.of(this);
      made.addToResourcePolicy(servicesThatPublish(account));
      if (lakeFormation) made.addToResourcePolicy(lakeFormationReads(account, partition));
      this.own = made;
    } else if (key !== "none") {
      this.own = Key.fromKeyArn(this, "Key", key);
    }
    this.arns = [...(this.own ? [this.own.keyArn] : []), ...otherKeys];
  }
}

/** A service that publishes to topics. */
export type Publisher = "cloudwatch.amazonaws.com" | "s3.amazonaws.com";

/** Services that publish to topics made here, which a key taken over has to let use it. */
export function publishers({ settings, makes }: Pick<At, "settings" | "makes">): Publisher[] {
  const alarms: Publisher[] = makes("topic") ? ["cloudwatch.amazonaws.com"] : [];
  const isArrivalsTopicMade = listens({ settings }) && !settings.arrivals.startsWith("arn:");
  return isArrivalsTopicMade ? [...alarms, "s3.amazonaws.com"] : alarms;
}

/** What whoever reads or writes an encrypted catalog needs. https://docs.aws.amazon.com/athena/latest/ug/access-encrypted-data-glue-data-catalog.html */
export function useCatalogKey({ settings: { catalogKey } }: At): PolicyStatement[] {
  if (catalogKey === null) return [];
  return [allow("UseCatalogKey", ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"], [catalogKey])];
}

/** Alarms and S3 publish to topics that this key encrypts. https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html */
function servicesThatPublish(account: string): PolicyStatement {
  return new PolicyStatement({
    sid: "ServicesThatPublish",
    principals: [new ServicePrincipal("cloudwatch.amazonaws.com"), new ServicePrincipal("s3.amazonaws.com")],
    actions: USE,
    resources: ["*"],
    conditions: { StringEquals: { "aws:SourceAccount": account } },
  });
}

/** The role that Lake Formation reads and writes registered places by, for whomever it grants them. */
export const serviceRole = (account: string, partition: string) =>
  `arn:${partition}:iam::${account}:role/aws-service-role/lakeformation.amazonaws.com/AWSServiceRoleForLakeFormationDataAccess`;

/**
 * By condition, not as principal: KMS refuses a policy that names a role before it is there, and Lake Formation makes this
 * one when the first place is registered.
 * https://docs.aws.amazon.com/lake-formation/latest/dg/register-encrypted.html
 */
function lakeFormationReads(account: string, partition: string): PolicyStatement {
  return new PolicyStatement({
    sid: "LakeFormationReads",
    principals: [new AnyPrincipal()],
    actions: ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
    resources: ["*"],
    conditions: {
      ArnEquals: { "aws:PrincipalArn": serviceRole(account, partition) },
      StringEquals: { "kms:CallerAccount": account },
    },
  });
}
