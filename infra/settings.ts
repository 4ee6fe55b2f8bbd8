import type { Written } from "./lib/settings.ts";

/** The folder of the project that is deployed, where `crawlguard.toml` is; from this file. */
export const project = "..";

/**
 * What each AWS target of `crawlguard.toml` needs beside the names that stand there.
 *
 * All settings and their defaults: lib/settings.ts, and the table in docs/deploy.md.
 */
export const settings: Record<string, Written> = {
  dev: {
    emails: ["data-dev@example.com"],
    rawBucket: "pbright-dev-raw",
    sources: ["salesforce-leads", "source_1", "source_2", "source_3"],
    key: "none",
    logDays: 14,
  },
  prod: {
    emails: ["data@example.com"],
    rawBucket: "pbright-prod-raw",
    sources: ["salesforce-leads", "source_1", "source_2", "source_3"],
  },
};
