import type { At } from "../at.ts";
import { type Findings, shown } from "../check/findings.ts";
import { type Aws, json } from "./ask.ts";

/** What Glue takes where no key is named. https://docs.aws.amazon.com/glue/latest/dg/encrypt-glue-data-catalog.html */
const GLUES_OWN = "alias/aws/glue";

/** Whether the roles may use the key of a catalog that is encrypted; one that Glue uses by a role of its own is nobody else's. */
export function checkCatalog({ settings }: At, aws: Aws, into: Findings): string[] {
  const asked = aws("glue", "get-data-catalog-encryption-settings");
  const encryption = json(asked)?.DataCatalogEncryptionSettings?.EncryptionAtRest;
  if (encryption === undefined)
    return [`nobody says whether the Glue Data Catalog is encrypted: ${asked.stderr.trim()}`];
  if (encryption.CatalogEncryptionMode !== "SSE-KMS") return [];
  const key: string = encryption.SseAwsKmsKeyId ?? GLUES_OWN;
  const described = aws("kms", "describe-key", "--key-id", key);
  const arn: string | undefined = json(described)?.KeyMetadata?.Arn ?? (key.startsWith("arn:") ? key : undefined);
  if (arn === undefined)
    return [`nobody says whether catalogKey is ${key}, which encrypts the catalog: ${described.stderr.trim()}`];
  const is = settings.catalogKey === null ? "not set" : shown(settings.catalogKey);
  const says = `${is}, and ${shown(arn)} encrypts the Glue Data Catalog: function and crawler could read no table; write that`;
  into.refuse(settings.catalogKey !== arn, "catalogKey", says);
  return [];
}
