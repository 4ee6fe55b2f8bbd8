import { Stack } from "aws-cdk-lib";
import { CfnPrincipalPermissions, CfnResource } from "aws-cdk-lib/aws-lakeformation";
import { Construct } from "constructs";
import { arns } from "./arns.ts";
import type { At } from "./at.ts";
import type { Catalog } from "./catalog.ts";

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
    const arn = arns(stack, at);
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

    const warehouse = `${arn.bucket(at.warehouse.bucket)}/${at.warehouse.prefix}`;
    const location = new CfnResource(this, "Warehouse", { resourceArn: warehouse, useServiceLinkedRole: true });
    grant("GuardDatabase", pipelineRole, ["CREATE_TABLE", "DESCRIBE"], inDatabase);
    grant("GuardTables", pipelineRole, ["ALTER", "DESCRIBE", "DROP", "INSERT", "SELECT"], allTables);
    grant("GuardWarehouse", pipelineRole, ["DATA_LOCATION_ACCESS"], {
      dataLocation: { catalogId, resourceArn: warehouse },
    }).addResourceDependency(location);
    const crawlerRole = catalog.crawlerRole?.roleArn;
    if (crawlerRole) {
      grant("CrawlerDatabase", crawlerRole, ["CREATE_TABLE", "DESCRIBE"], inDatabase);
      grant("CrawlerTables", crawlerRole, ["ALTER", "DESCRIBE"], allTables);
    }
  }
}
