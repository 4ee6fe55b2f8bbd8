import { CfnDeletionPolicy, type CfnResource } from "aws-cdk-lib";
import type { Construct } from "constructs";
import type { At } from "./at.ts";

/**
 * What becomes of a resource that holds data.
 *
 * An update that replaces it always leaves the old one: only who takes it out of the stack may mean to lose it. A first
 * deployment that fails takes back what it made, or its names would be taken when it is tried again.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
 */
export function holdsData(construct: Construct, { settings }: At) {
  const { cfnOptions } = (construct.node.defaultChild ?? construct) as CfnResource;
  const isKept = settings.onDestroy === "keep";
  cfnOptions.deletionPolicy = isKept ? CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE : CfnDeletionPolicy.DELETE;
  cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN;
}
