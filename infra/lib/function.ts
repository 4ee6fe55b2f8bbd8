import { Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import { type PolicyDocument, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Architecture, Function, Handler, Runtime } from "aws-cdk-lib/aws-lambda";
import type { SqsDestination } from "aws-cdk-lib/aws-lambda-destinations";
import { LogGroup, type RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { arns } from "./arns.ts";
import { arguedWildcards } from "./argued.ts";
import type { At } from "./at.ts";
import type { Parts } from "./parts.ts";

export interface GuardProps {
  functionName: string;
  description: string;
  code: Parts["code"];
  /** The policy of the function's role, given the name of its log. */
  policy: (logGroup: string) => PolicyDocument;
  reservedConcurrency?: number;
  /** The longest that one invocation may take. */
  timeout: Duration;
  onFailure?: SqsDestination;
}

export const logGroupOf = (functionName: string) => `/aws/lambda/${functionName}`;

/** The crawlguard binary as a function, with its role and its log. */
export class GuardFunction extends Construct {
  readonly function: Function;
  readonly role: Role;
  readonly log: LogGroup;

  constructor(scope: Construct, id: string, at: At, props: GuardProps) {
    super(scope, id);
    const { settings, state, targetName } = at;
    const isImage = settings.code === "image";
    const name = props.functionName;
    this.log = new LogGroup(this, "Log", {
      logGroupName: logGroupOf(name),
      retention: settings.logDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = new Role(this, "Role", {
      description: props.description,
      assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
      inlinePolicies: { calls: props.policy(logGroupOf(name)) },
    });
    arguedWildcards(
      this.role,
      [arns(Stack.of(this), at).logStreams(logGroupOf(name))],
      "Lambda names the streams of the function's own log",
    );
    this.function = new Function(this, "Function", {
      functionName: name,
      description: props.description,
      code: props.code,
      runtime: isImage ? Runtime.FROM_IMAGE : Runtime.PROVIDED_AL2023,
      handler: isImage ? Handler.FROM_IMAGE : "bootstrap",
      architecture: settings.architecture === "arm64" ? Architecture.ARM_64 : Architecture.X86_64,
      memorySize: settings.memoryMb,
      timeout: props.timeout,
      environment: {
        CRAWLGUARD_TARGET: targetName,
        CRAWLGUARD_PROJECT: `s3://${state.bucket}/${state.prefix}project.json`,
      },
      logGroup: this.log,
      // The policy above is the whole of it: nothing that is attached later adds to it.
      role: this.role.withoutPolicyUpdates(),
      reservedConcurrentExecutions: props.reservedConcurrency,
      onFailure: props.onFailure,
    });
  }
}
