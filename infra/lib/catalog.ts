import { Duration, Stack } from "aws-cdk-lib";
import { CfnClassifier, CfnCrawler, CfnDatabase } from "aws-cdk-lib/aws-glue";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import { argued } from "./argued.ts";
import type { At } from "./at.ts";
import type { Keys } from "./keys.ts";
import { argueCrawlerWildcards, crawlerPolicy } from "./crawler-permissions.ts";
import { subscribedQueue } from "./arrivals.ts";
import { holdsData } from "./removal.ts";
import { crawledFolders } from "./sources.ts";

/** The Glue database and the crawler that fills it with raw tables. */
export class Catalog extends Construct {
  readonly database: CfnDatabase | undefined;
  readonly crawler: CfnCrawler | undefined;
  readonly crawlerRole: Role | undefined;
  /** Messages of arrived files that the crawler could not take, if it goes by them. */
  readonly dead: Queue | undefined;

  constructor(scope: Construct, id: string, at: At, keys: Keys, arrivals: ITopic | undefined) {
    super(scope, id);
    this.database = at.makes("database") ? this.makeDatabase(at) : undefined;
    if (!at.makes("crawler")) return;
    const isByEvents = at.settings.crawl === "events" && arrivals !== undefined;
    const [queue, dead] = isByEvents ? subscribedQueue(this, "Events", arrivals, Duration.minutes(15)) : [];
    this.dead = dead;
    this.crawlerRole = new Role(this, "CrawlerRole", {
      description: `Lets the crawler ${at.target.crawler} read raw files and write raw tables`,
      assumedBy: new ServicePrincipal("glue.amazonaws.com"),
      inlinePolicies: { crawl: crawlerPolicy(Stack.of(this), at, keys, queue?.queueArn) },
    });
    argueCrawlerWildcards(this.crawlerRole, at);
    this.crawler = this.makeCrawler(at, this.crawlerRole, queue);
    if (this.database) this.crawler.addResourceDependency(this.database);
  }

  private makeDatabase(at: At): CfnDatabase {
    const database = new CfnDatabase(this, "Database", {
      catalogId: Stack.of(this).account,
      databaseInput: { name: at.target.database, description: `Raw, intermediate and fact tables of ${at.name}` },
    });
    holdsData(database, at);
    return database;
  }

  private makeCrawler(at: At, role: Role, queue: Queue | undefined): CfnCrawler {
    const { settings, target } = at;
    const classifier = this.classifier(at);
    const crawler = new CfnCrawler(this, "Crawler", {
      name: target.crawler,
      role: role.roleArn,
      databaseName: target.database,
      tablePrefix: target.raw_prefix,
      classifiers: classifier ? [classifier.ref] : undefined,
      targets: {
        s3Targets: crawledFolders(settings).map((folder) => ({
          path: `s3://${settings.rawBucket}/${folder}/`,
          eventQueueArn: queue?.queueArn,
        })),
      },
      recrawlPolicy: { recrawlBehavior: queue ? "CRAWL_EVENT_MODE" : "CRAWL_EVERYTHING" },
      schedule: { scheduleExpression: settings.crawlSchedule },
      // Removals and new types have to show in the catalog, or there is nothing to compare; a table is never dropped.
      schemaChangePolicy: { updateBehavior: "UPDATE_IN_DATABASE", deleteBehavior: "LOG" },
      configuration: JSON.stringify(configuration(at, queue !== undefined)),
    });
    argued(
      crawler,
      "GL1",
      "The crawler's log names folders and tables, not data; a security configuration would move it to a log of another name",
    );
    return crawler;
  }

  /** One that takes the first line for the header, whatever the types. */
  private classifier(at: At): CfnClassifier | undefined {
    const csv = at.settings.csvClassifier;
    if (csv === null) return undefined;
    return new CfnClassifier(this, "Classifier", {
      csvClassifier: {
        name: at.name,
        containsHeader: "PRESENT",
        delimiter: csv.delimiter,
        quoteSymbol: csv.quote,
        allowSingleColumn: false,
      },
    });
  }
}

/** https://docs.aws.amazon.com/glue/latest/dg/crawler-configuration.html */
function configuration(at: At, isByEvents: boolean) {
  // The bucket is level 1, and each folder in the one that is crawled is a table.
  const level = crawledFolders(at.settings)[0]!.split("/").length + 2;
  return {
    Version: 1.0,
    // Glue's default is true, which takes a right more for indexes that a lake read whole has no use for; and of an
    // encrypted catalog it makes none. https://docs.aws.amazon.com/glue/latest/dg/crawler-configure-partition-indexes.html
    CreatePartitionIndex: false,
    CrawlerOutput: {
      Partitions: { AddOrUpdateBehavior: "InheritFromTable" },
      Tables: { TableThreshold: at.settings.tableThreshold },
    },
    ...(isByEvents ? { Grouping: { TableLevelConfiguration: level } } : {}),
  };
}
