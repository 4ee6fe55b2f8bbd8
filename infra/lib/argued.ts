import { Validations } from "aws-cdk-lib";
import type { Construct } from "constructs";

/** Says why a finding of cdk-nag on a construct is meant so. */
export function argued(construct: Construct, rule: string, reason: string) {
  Validations.of(construct).acknowledge({ id: `AwsSolutions-${rule}`, reason });
}

/** Says why a role may use all resources that these ARNs' wildcards match. */
export function arguedWildcards(role: Construct, arns: string[], reason: string) {
  arns.forEach((arn) => argued(role, `IAM5[Resource::${arn}]`, reason));
}
