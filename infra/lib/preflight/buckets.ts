import type { At, Folder } from "../at.ts";
import { shown } from "../check/findings.ts";
import { overlaps } from "../check/folders.ts";
import type { Existing } from "../settings.ts";
import { type Aws, type Into, json } from "./ask.ts";
import { checkOpened } from "./key.ts";
import { service } from "./callers.ts";
import { lets, policyIn } from "./policy.ts";

const BUCKETS = ["rawBucket", "warehouse", "results", "state"] as const satisfies Existing[];

/** Buckets that are used and not made: where they are, and that nothing removes what is alive in them. */
export function checkBuckets(is: At, ownKey: string | undefined, aws: Aws, into: Into): string[] {
  const { settings, warehouse, results, state } = is;
  const folders = { rawBucket: { bucket: settings.rawBucket, prefix: "" }, warehouse, results, state };
  const taken = BUCKETS.filter((name) => !is.makes(name));
  const isLogged = settings.accessLogBucket !== null && taken.length < BUCKETS.length;
  return [
    ...taken.flatMap((name) => checkRegion(is, name, folders[name].bucket, aws, into)),
    ...new Set(taken.flatMap((name) => checkEncryption(is, ownKey, folders[name].bucket, aws, into))),
    ...(is.makes("warehouse") ? [] : checkAlive("warehouse", warehouse, "published tables lie", aws, into)),
    ...(is.makes("state") ? [] : checkAlive("state", state, "the project and its runs lie", aws, into)),
    ...(isLogged ? checkLogs(is, settings.accessLogBucket!, aws, into) : []),
  ];
}

/** Roles, S3's notices and query results know only the target's region. */
function checkRegion({ target }: At, setting: string, bucket: string, aws: Aws, into: Into): string[] {
  const asked = aws("s3api", "get-bucket-location", "--bucket", bucket);
  const answer = json(asked);
  if (answer === undefined) return [`nobody says in which region ${shown(bucket)} is: ${asked.stderr.trim()}`];
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
  const said: string = answer.LocationConstraint ?? "us-east-1";
  const region = said === "EU" ? "eu-west-1" : said;
  const findings = setting === "rawBucket" || setting === "accessLogBucket" ? into.settings : into.target;
  const says = `${shown(bucket)} is in ${region}, and the target in ${target.region}; name one of that region`;
  findings.refuse(region !== target.region, setting, says);
  return [];
}

/** A key of one's own has to be opened to the roles; S3's own is open to the account. */
function checkEncryption(is: At, ownKey: string | undefined, bucket: string, aws: Aws, into: Into): string[] {
  const asked = encryptionOf(bucket, aws);
  if (asked.problem !== undefined) return [`nobody says which key encrypts ${shown(bucket)}: ${asked.problem}`];
  const isSomebodys = asked.key !== undefined && !asked.key.endsWith("alias/aws/s3");
  if (isSomebodys) checkOpened(is, ownKey, asked.key!, shown(bucket), aws, into.settings);
  return [];
}

/** The default that new objects of a bucket are encrypted by. */
function encryptionOf(bucket: string, aws: Aws): { algorithm?: string; key?: string; problem?: string } {
  const asked = aws("s3api", "get-bucket-encryption", "--bucket", bucket);
  if (/ServerSideEncryptionConfigurationNotFound/.test(asked.stderr)) return {};
  const [rule] = json(asked)?.ServerSideEncryptionConfiguration?.Rules ?? [];
  const is = rule?.ApplyServerSideEncryptionByDefault;
  return is === undefined ? { problem: asked.stderr.trim() } : { algorithm: is.SSEAlgorithm, key: is.KMSMasterKeyID };
}

/** What lies in a folder is alive however old it is: no rule may remove it, or put it where it cannot be read. */
export function checkAlive(setting: Existing, folder: Folder, what: string, aws: Aws, into: Into): string[] {
  const where = `${what} in s3://${folder.bucket}/${folder.prefix}`;
  const asked = aws("s3api", "get-bucket-lifecycle-configuration", "--bucket", folder.bucket);
  const rules = /NoSuchLifecycleConfiguration/.test(asked.stderr) ? [] : json(asked)?.Rules;
  if (rules === undefined) return [`${where}, and nobody says whether a rule removes them: ${asked.stderr.trim()}`];
  const removing = rules.filter((rule: any) => removes(rule, folder.prefix)).map((rule: any) => shown(rule.ID));
  const says = `${where}, and these rules of the bucket remove them: ${removing.join(", ")}; take them out of its reach`;
  into.target.refuse(removing.length > 0, setting, says);
  return [];
}

/** Where objects have to be restored before they are read. https://docs.aws.amazon.com/athena/latest/ug/notes-and-limitations.html */
const ARCHIVES = ["GLACIER", "DEEP_ARCHIVE"];

/** Whether a rule removes current objects below a folder; one that asks for tags or sizes too, may. */
function removes(rule: any, folder: string): boolean {
  const prefix: string = rule.Filter?.Prefix ?? rule.Filter?.And?.Prefix ?? rule.Prefix ?? "";
  const expires = rule.Expiration?.Days !== undefined || rule.Expiration?.Date !== undefined;
  const archives = (rule.Transitions ?? []).some((it: any) => ARCHIVES.includes(it.StorageClass));
  const isAll = prefix === "" || folder === "";
  return rule.Status === "Enabled" && (expires || archives) && (isAll || overlaps(prefix, folder));
}

const NO_POLICY = /NoSuchBucketPolicy/;
const LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery";

/** S3 writes logs to a bucket that lets it, of the same region, and that no key of KMS encrypts. https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html */
function checkLogs(is: At, bucket: string, aws: Aws, into: Into): string[] {
  const name = shown(bucket);
  const head = aws("s3api", "head-bucket", "--bucket", bucket);
  const isAbsent = /\b404\b|Not ?Found/i.test(head.stderr);
  into.settings.refuse(isAbsent, "accessLogBucket", `${name} is not there; make it, or name another`);
  if (isAbsent) return [];
  const { algorithm, problem } = encryptionOf(bucket, aws);
  const isKms = algorithm?.startsWith("aws:kms") ?? false;
  into.settings.refuse(isKms, "accessLogBucket", `${name} is encrypted by a KMS key, and S3 writes logs to none such`);
  const asked = aws("s3api", "get-bucket-policy", "--bucket", bucket);
  const policy = policyIn(asked, (it) => it?.Policy, NO_POLICY);
  const writes = policy && lets(policy, service(is, "logging.s3.amazonaws.com"), ["s3:PutObject"]);
  const isLet = writes?.is ?? false;
  const granted = isLet ? undefined : json(aws("s3api", "get-bucket-acl", "--bucket", bucket))?.Grants;
  const isGranted = (granted ?? []).some((it: any) => it.Grantee?.URI === LOG_DELIVERY);
  const unjudged = isLet || isGranted ? [] : (writes?.unjudged ?? []);
  const under = `${name} lets S3 write logs under ${unjudged.join(", ")}: see that these hold`;
  const help = "let logging.s3.amazonaws.com s3:PutObject in its policy";
  into.settings.refuse(
    policy !== undefined && !isLet && !isGranted && unjudged.length === 0,
    "accessLogBucket",
    `${name} does not let S3 write logs; ${help}`,
  );
  return [
    ...checkRegion(is, "accessLogBucket", bucket, aws, into),
    ...(problem === undefined ? [] : [`nobody says which key encrypts ${name}: ${problem}`]),
    ...(unjudged.length === 0 ? [] : [under]),
    ...(policy ? [] : [`nobody says whether ${name} lets S3 write logs: ${asked.stderr.trim()}`]),
  ];
}
