import { CfnResource, type Stack } from "aws-cdk-lib";
import { CfnRole } from "aws-cdk-lib/aws-iam";
import type { At } from "./at.ts";
import { SettingsError } from "./check/findings.ts";

/** Characters of all policies in a role, without white space. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
export const LONGEST = 10_240;
/** As long as the ARN of what is made here gets. */
const ARN = "x".repeat(128);

/** Characters that IAM will count in a role's policies, at most. */
export function policyLength(stack: Stack, role: CfnRole): number {
  const known = (_: string, value: any) => (value?.Ref || value?.["Fn::GetAtt"] ? ARN : value);
  return JSON.stringify(stack.resolve(role.policies) ?? [], known).length;
}

/** What makes a role's policies long are folders of raw files: each has its line. */
export function refuseLongPolicies(stack: Stack, { settings, targetName }: At) {
  const roles = stack.node.findAll().filter((it): it is CfnRole => it instanceof CfnRole);
  const length = Math.max(...roles.map((role) => policyLength(stack, role)));
  if (length <= LONGEST) return;
  const says = `${settings.sources.length} folders make a role's policy ${length} characters long, and IAM takes ${LONGEST}`;
  const help = 'put them into one folder, such as "landing/orders" and "landing/users"';
  throw new SettingsError([`settings.ts ${targetName}.sources: ${says}; ${help}`]);
}

/** Resources of one stack. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
const MOST = 500;

/** What makes a stack's resources many are addresses, a subscription each, and sources, which Lake Formation knows one by one. */
export function refuseManyResources(stack: Stack, { settings, targetName }: At) {
  const { emails, sources } = settings;
  const count = stack.node.findAll().filter((it) => CfnResource.isCfnResource(it)).length;
  if (count <= MOST) return;
  const [setting, says, help] =
    count - emails.length < MOST
      ? ["emails", `${emails.length} addresses`, "mail a list, and have that mail them"]
      : ["sources", `${sources.length} folders`, 'put them into one folder, such as "landing/orders"'];
  const many = `${says} make a stack of ${count} resources, and CloudFormation takes ${MOST}; ${help}`;
  throw new SettingsError([`settings.ts ${targetName}.${setting}: ${many}`]);
}
