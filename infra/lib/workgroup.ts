import { CfnWorkGroup } from "aws-cdk-lib/aws-athena";
import { Construct } from "constructs";
import type { At } from "./at.ts";
import type { Keys } from "./keys.ts";

/** The Athena workgroup that all of crawlguard's queries run in. */
export class WorkGroup extends Construct {
  constructor(scope: Construct, id: string, at: At, keys: Keys) {
    super(scope, id);
    if (!at.makes("workgroup")) return;
    const { target, settings } = at;
    new CfnWorkGroup(this, "WorkGroup", {
      name: target.workgroup,
      description: `Checks and builds of ${at.name}`,
      // Removing it removes its history of queries, nothing else.
      recursiveDeleteOption: true,
      workGroupConfiguration: {
        bytesScannedCutoffPerQuery: settings.bytesCutoff,
        // Enforcing would send every build's files to the results' place, which expires; the cut-off holds all the same.
        // https://docs.aws.amazon.com/athena/latest/ug/workgroups-settings-override.html
        enforceWorkGroupConfiguration: false,
        engineVersion: { selectedEngineVersion: "Athena engine version 3" },
        publishCloudWatchMetricsEnabled: true,
        requesterPaysEnabled: false,
        resultConfiguration: {
          outputLocation: target.results,
          encryptionConfiguration: keys.own
            ? { encryptionOption: "SSE_KMS", kmsKey: keys.own.keyArn }
            : { encryptionOption: "SSE_S3" },
        },
      },
    });
  }
}
