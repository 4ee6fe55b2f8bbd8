import { RemovalPolicy } from "aws-cdk-lib";
import type { At } from "./at.ts";

/**
 * What becomes of a resource that holds data.
 *
 * A first deployment that fails takes back what it made, or its names would be taken when it is tried again.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
 */
export const removal = ({ settings }: At) =>
  settings.onDestroy === "delete" ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;
