import assert from "node:assert/strict";
import { test } from "node:test";
import type { Answer } from "../lib/preflight/index.ts";
import { failed, fine, looked, nothing, statement, TOLD, topic } from "./account.ts";

const notices = (TopicArn: string, prefix?: string, Events = ["s3:ObjectCreated:*"]) => ({
  TopicArn,
  Events,
  ...(prefix === undefined ? {} : { Filter: { Key: { FilterRules: [{ Name: "Prefix", Value: prefix }] } } }),
});
const MADE_HERE = "arn:aws:sns:us-east-1:123456789012:crawlguard-pbright-prod-arrivals";
const told = (arrivals: string, answer: Answer) =>
  looked(
    {
      "s3api head-bucket --bucket pbright-prod-raw": fine({}),
      "s3api get-bucket-notification-configuration": answer,
      [`sns get-topic-attributes --topic-arn ${TOLD}`]: topic(
        statement({ Service: "s3.amazonaws.com" }, "sns:Publish"),
      ),
    },
    { takeOver: ["rawBucket"], arrivals, sources: ["a", "b"] },
  );

test("a bucket taken over that tells only of some names in a folder does not tell of it", () => {
  const named = notices(MADE_HERE, "a/");
  named.Filter!.Key.FilterRules.push({ Name: "Suffix", Value: ".csv" });
  const { notes } = told("on", fine({ TopicConfigurations: [named, notices(MADE_HERE, "b/")] }));
  assert.match(notes.join(), /does not tell \S+ of new files in a\/;/);
});

test("a raw bucket taken over that tells of each source is fine", () => {
  for (const [arrivals, arn] of [
    ["on", MADE_HERE],
    [TOLD, TOLD],
  ] as const) {
    const all = fine({ TopicConfigurations: [notices(arn)] });
    const each = fine({ TopicConfigurations: [notices(arn, "a/"), notices(arn, "b/")] });
    for (const answer of [all, each]) assert.deepEqual(told(arrivals, answer), { problems: [], notes: [] });
  }
});

test("one that does not is told of, with the command that adds to what it tells already", () => {
  const others = {
    QueueConfigurations: [{ QueueArn: "arn:aws:sqs:us-east-1:123456789012:q", Events: ["s3:ObjectRemoved:*"] }],
  };
  const has = {
    ...others,
    TopicConfigurations: [notices(MADE_HERE, "a/"), notices(MADE_HERE, "b/", ["s3:ObjectCreated:Put"])],
  };
  const { problems, notes } = told("on", fine(has));
  assert.deepEqual(problems, []);
  const [, folders, command] = /of new files in (\S+); once the topic is there: (.*)$/.exec(notes.join())!;
  assert.equal(folders, "b/");
  const [, bucket, all] =
    /^aws s3api put-bucket-notification-configuration --bucket (\S+) --notification-configuration '(.*)'$/.exec(
      command!,
    )!;
  assert.equal(bucket, "pbright-prod-raw");
  const { TopicConfigurations, ...rest } = JSON.parse(all!);
  assert.deepEqual(rest, others);
  // S3 takes no two of one event for one folder: the new one takes the narrower one's place.
  assert.equal(TopicConfigurations.length, 2);
  assert.deepEqual(TopicConfigurations[0], has.TopicConfigurations[0]);
  assert.deepEqual(TopicConfigurations[1].Events, ["s3:ObjectCreated:*"]);
  assert.deepEqual(TopicConfigurations[1].Filter.Key.FilterRules, [{ Name: "prefix", Value: "b/" }]);
});

test("what S3 takes no second notification beside is named", () => {
  const { notes } = told(
    "on",
    fine({
      TopicConfigurations: [
        notices("arn:aws:sns:us-east-1:123456789012:whole"),
        notices(MADE_HERE, "a/"),
        notices(MADE_HERE, "b/y/", ["s3:ObjectCreated:Put", "s3:ObjectRemoved:*"]),
      ],
      QueueConfigurations: [
        { QueueArn: "inner", Events: ["s3:ObjectCreated:Put"], Filter: notices("", "b/x/").Filter },
        { QueueArn: "removed", Events: ["s3:ObjectRemoved:*"], Filter: notices("", "b/").Filter },
        { QueueArn: "elsewhere", Events: ["s3:ObjectCreated:*"], Filter: notices("", "c/").Filter },
      ],
    }),
  );
  assert.match(notes.join(), /take out of this what goes to \S+:whole, \S+-arrivals, inner, and have/);
});

test("a bucket that tells nobody is no bucket that may not be asked", () => {
  assert.match(told("on", nothing).notes.join(), /does not tell \S+ of new files in a\/, b\/;/);
  assert.match(told("on", failed("AccessDenied")).notes.join(), /nobody says whether .* of new files: AccessDenied/);
});
