import type { At } from "../at.ts";
import type { Findings } from "../check/findings.ts";
import { places } from "../lake-formation.ts";
import { type Aws, json } from "./ask.ts";

/** Lake Formation grants only what is registered, and what is taken over is not registered here. */
export function checkPlaces(is: At, aws: Aws, into: Findings): string[] {
  if (!is.settings.lakeFormation) return [];
  const { warehouse, raw } = places(is.target.topic.split(":")[1]!, is);
  const needed = [warehouse, ...(is.makes("crawler") ? raw : [])].filter((place) => !place.isMade);
  if (needed.length === 0) return [];
  const asked = aws("lakeformation", "list-resources");
  const found: any[] | undefined = json(asked)?.ResourceInfoList;
  if (found === undefined) return [`nobody says whether Lake Formation knows the buckets: ${asked.stderr.trim()}`];
  const registered = found.map((it) => `${it.ResourceArn.replace(/\/$/, "")}/`);
  for (const { arn } of needed) {
    const isIn = registered.some((place) => arn.startsWith(place));
    const command = `aws lakeformation register-resource --resource-arn ${arn} --use-service-linked-role`;
    into.refuse(!isIn, "lakeFormation", `${arn} is not registered, so nothing can be granted there; ${command}`);
  }
  return [];
}
