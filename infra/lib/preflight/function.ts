import type { At } from "../at.ts";
import type { Findings } from "../check/findings.ts";
import { type Aws, json } from "./ask.ts";

/** What Lambda keeps for functions that reserve nothing. https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html */
const KEPT = 100;

/** Whether the account has room for the reservation: what is free, and what the function that is there has already. */
export function checkConcurrency({ settings }: At, current: string | undefined, aws: Aws, into: Findings): string[] {
  if (settings.reservedConcurrency === 0) return [];
  const asked = aws("lambda", "get-account-settings");
  const free = json(asked)?.AccountLimit?.UnreservedConcurrentExecutions;
  if (typeof free !== "number") {
    return [`nobody says whether the account has room for reservedConcurrency: ${asked.stderr.trim()}`];
  }
  const own = current === undefined ? undefined : aws("lambda", "get-function-concurrency", "--function-name", current);
  if (own !== undefined && own.status !== 0) {
    return [`nobody says what ${current} has reserved already: ${own.stderr.trim()}`];
  }
  // Of a function that reserves nothing the CLI says nothing.
  const held = own && json(own);
  const room = Math.max(free + (held?.ReservedConcurrentExecutions ?? 0) - KEPT, 0);
  const isMore = settings.reservedConcurrency > room;
  const help = room === 0 ? "write 0, or ask AWS for a higher quota" : `write ${room} or less`;
  const says = `${settings.reservedConcurrency}, and the account has room for ${room}; ${help}`;
  into.refuse(isMore, "reservedConcurrency", says);
  return [];
}

/**
 * Whether the function that is there can become the one that is wanted: a zip and an image do not become each other, and
 * CloudFormation replaces no function under its own name.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html#cfn-lambda-function-packagetype
 */
export function checkFunction({ name, settings }: At, aws: Aws, into: Findings): string[] {
  const asked = aws("lambda", "get-function-configuration", "--function-name", name);
  const type = json(asked)?.PackageType;
  if (type === undefined) return [`nobody says whether the function is a zip or an image: ${asked.stderr.trim()}`];
  const is = String(type).toLowerCase();
  const help = "one does not become the other: docs/deploy.md, Upgrading, has the way";
  into.refuse(is !== settings.code, "code", `"${settings.code}", and the function that runs is of "${is}"; ${help}`);
  return [];
}
