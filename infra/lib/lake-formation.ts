import { Stack } from "aws-cdk-lib";
import { CfnPrincipalPermissions, CfnResource } from "aws-cdk-lib/aws-lakeformation";
import { Construct } from "constructs";
import type { At, Folder } from "./at.ts";
import type { Catalog } from "./catalog.ts";
import { rawFolders } from "./sources.ts";

/** A place of S3 as Lake Formation knows it, and whether it is registered here. */
export interface Place {
  id: string;
  arn: string;
  isMade: boolean;
}

/** Where the tables' files lie. */
export function places(partition: string, at: At): { warehouse: Place; raw: Place[] } {
  const place = (id: string, { bucket, prefix }: Folder, isMade: boolean) => ({
    id,
    arn: `arn:${partition}:s3:::${bucket}/${prefix}`,
    isMade,
  });
  return {
    warehouse: place("Warehouse", at.warehouse, at.makes("warehouse")),
    raw: rawFolders(at.settings).map((folder) => place(`Raw${folder.prefix}`, folder, at.makes("rawBucket"))),
  };
}

/**
 * Lake Formation's grants, for accounts where IAM alone no longer opens the catalog.
 *
 * Whoever deploys them has to be a Lake Formation administrator: with the CDK, that is CloudFormation's role of the bootstrap.
 * https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html
 */
export class LakeFormation extends Construct {
  constructor(scope: Construct, id: string, at: At, pipelineRole: string, catalog: Catalog) {
    super(scope, id);
    const stack = Stack.of(this);
    const catalogId = stack.account;
    const { database } = at.target;
    const grant = (
      id: string,
      role: string,
      permissions: string[],
      resource: CfnPrincipalPermissions.ResourceProperty,
    ) => {
      const granted = new CfnPrincipalPermissions(this, id, {
        principal: { dataLakePrincipalIdentifier: role },
        resource,
        permissions,
        permissionsWithGrantOption: [],
      });
      // It is named by its name, which tells CloudFormation of no order.
      if (catalog.database) granted.addResourceDependency(catalog.database);
      return granted;
    };
    const inDatabase = { database: { catalogId, name: database } };
    const allTables = { table: { catalogId, databaseName: database, tableWildcard: {} } };

    // What is taken over is its owner's to register: that changes who else may read it.
    // https://docs.aws.amazon.com/lake-formation/latest/dg/granting-location-permissions.html
    const grantPlace = (id: string, role: string, place: Place) => {
      const granted = grant(id, role, ["DATA_LOCATION_ACCESS"], {
        dataLocation: { catalogId, resourceArn: place.arn },
      });
      if (!place.isMade) return;
      const registered = new CfnResource(this, place.id, { resourceArn: place.arn, useServiceLinkedRole: true });
      granted.addResourceDependency(registered);
    };
    const { warehouse, raw } = places(stack.partition, at);
    grant("GuardDatabase", pipelineRole, ["CREATE_TABLE", "DESCRIBE"], inDatabase);
    grant("GuardTables", pipelineRole, ["ALTER", "DESCRIBE", "DROP", "INSERT", "SELECT"], allTables);
    // Whoever makes or changes a table whose files lie in a registered place needs that place, too.
    grantPlace("GuardWarehouse", pipelineRole, warehouse);
    const crawlerRole = catalog.crawlerRole?.roleArn;
    if (crawlerRole) {
      grant("CrawlerDatabase", crawlerRole, ["CREATE_TABLE", "DESCRIBE"], inDatabase);
      grant("CrawlerTables", crawlerRole, ["ALTER", "DESCRIBE"], allTables);
      raw.forEach((place) => grantPlace(`Crawler${place.id}`, crawlerRole, place));
    }
  }
}
