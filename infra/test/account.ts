// An AWS account as the CLI answers for it.
import { check } from "../lib/app.ts";
import { type Answer, type Looked, preflight } from "../lib/preflight/index.ts";
import type { Written } from "../lib/settings.ts";
import { NOW, prod, project } from "./helpers.ts";

export const fine = (answer: unknown): Answer => ({ status: 0, stdout: JSON.stringify(answer), stderr: "" });
/** What the CLI says of an answer without content. */
export const nothing: Answer = { status: 0, stdout: "", stderr: "" };
export const failed = (stderr: string): Answer => ({ status: 255, stdout: "", stderr });
export const absent = failed("An error occurred (404) when calling the HeadBucket operation: Not Found");
export const forbidden = failed("An error occurred (403) when calling the HeadBucket operation: Forbidden");

/** An empty account, but for these answers, by the command's words that begin them. */
export function looked(answers: Record<string, Answer>, written: Partial<Written> = {}): Looked {
  const account: Record<string, Answer> = {
    "sts get-caller-identity": fine({ Account: "123456789012" }),
    "cloudformation describe-stacks": failed("Stack with id crawlguard-pbright-prod does not exist"),
    "lambda get-account-settings": fine({ AccountLimit: { UnreservedConcurrentExecutions: 1000 } }),
    "lambda get-function-concurrency": nothing,
    "s3api get-bucket-location": fine({ LocationConstraint: null }),
    "s3api get-bucket-lifecycle-configuration": failed("NoSuchLifecycleConfiguration"),
    "s3api get-bucket-encryption": failed("ServerSideEncryptionConfigurationNotFoundError"),
    "glue get-data-catalog-encryption-settings": catalog({ CatalogEncryptionMode: "DISABLED" }),
    "kms describe-key": fine({ KeyMetadata: { KeyState: "Enabled" } }),
    ...answers,
  };
  const [is] = check(project, { prod: { ...prod, ...written } }, NOW);
  return preflight(is!, { ...prod, ...written }, (args) => {
    const command = args.join(" ");
    // Longer beginnings say more.
    const known = Object.entries(account).filter(([begin]) => command.startsWith(begin));
    return known.sort(([one], [other]) => other.length - one.length)[0]?.[1] ?? absent;
  });
}

export const found = (...given: Parameters<typeof looked>): string[] => looked(...given).problems;

export const workgroup = (configuration: object) => fine({ WorkGroup: { Configuration: configuration } });
export const suits = { BytesScannedCutoffPerQuery: 100_000_000_000 };

/** How the Glue Data Catalog is encrypted. */
export const catalog = (EncryptionAtRest: object) => fine({ DataCatalogEncryptionSettings: { EncryptionAtRest } });

/** A rule of a bucket's lifecycle. */
export const rule = (prefix: string | undefined, more: object = { Expiration: { Days: 7 } }) => ({
  ID: "old",
  Status: "Enabled",
  Filter: prefix === undefined ? {} : { Prefix: prefix },
  ...more,
});

export const KEY = "arn:aws:kms:us-east-1:123456789012:key/1234";
/** A topic taken over for arrivals. */
export const TOLD = "arn:aws:sns:us-east-1:123456789012:told";

/** A statement of a resource's policy. */
export const statement = (principal: object | string, action: string | string[] = "kms:*") => ({
  Effect: "Allow",
  Principal: principal,
  Action: action,
});
export const ROOT = statement({ AWS: "arn:aws:iam::123456789012:root" });
export const CLOUDWATCH = statement({ Service: "cloudwatch.amazonaws.com" });
/** The condition that a service acts for an account. */
export const of = (account: string) => ({ StringEquals: { "aws:SourceAccount": account } });
export const policy = (...Statement: object[]) => JSON.stringify({ Statement });
export const topic = (statement: object, key?: string) =>
  fine({ Attributes: { Policy: policy(statement), ...(key ? { KmsMasterKeyId: key } : {}) } });
