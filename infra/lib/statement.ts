import { Effect, PolicyStatement } from "aws-cdk-lib/aws-iam";

export const allow = (sid: string, actions: string[], resources: string[]) =>
  new PolicyStatement({ sid, actions, resources });

export const deny = (sid: string, actions: string[], resources: string[]) =>
  new PolicyStatement({ sid, effect: Effect.DENY, actions, resources });
