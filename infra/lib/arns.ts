import { ArnFormat, type Stack } from "aws-cdk-lib";
import type { At, Folder } from "./at.ts";
import { rawFolders } from "./sources.ts";

/** ARNs of what the roles may touch. */
export const arns = (stack: Stack, { target, settings }: At) => {
  const glue = (path: string) => stack.formatArn({ service: "glue", resource: path });
  const objects = ({ bucket, prefix }: Folder) => `arn:${stack.partition}:s3:::${bucket}/${prefix}*`;
  return {
    bucket: (bucket: string) => `arn:${stack.partition}:s3:::${bucket}`,
    objects,
    rawFiles: rawFolders(settings).map(objects),
    object: (bucket: string, key: string) => `arn:${stack.partition}:s3:::${bucket}/${key}`,
    catalog: glue("catalog"),
    database: glue(`database/${target.database}`),
    defaultDatabase: glue("database/default"),
    tables: glue(`table/${target.database}/*`),
    rawTables: glue(`table/${target.database}/${target.raw_prefix}*`),
    tableVersions: glue(`tableVersion/${target.database}/*`),
    crawler: glue(`crawler/${target.crawler}`),
    workgroup: stack.formatArn({ service: "athena", resource: "workgroup", resourceName: target.workgroup }),
    logStreams: (group: string) =>
      stack.formatArn({
        service: "logs",
        resource: "log-group",
        resourceName: `${group}:*`,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      }),
  };
};
