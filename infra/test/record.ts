// Stands between crawlguard and an endpoint and records each call, as IAM would name it.
//
//   AWS_ENDPOINT_URL=http://127.0.0.1:5555 tsx test/record.ts 5556 calls.json
//
// test/live.py does that. By hand: run crawlguard with AWS_ENDPOINT_URL=http://127.0.0.1:5556; what it called is in the file when this ends (SIGTERM).
import { writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, request } from "node:http";
import type { Call } from "./simulator.ts";

const upstream = new URL(process.env.AWS_ENDPOINT_URL ?? "http://127.0.0.1:5555");
const [port = "5556", file = "calls.json"] = process.argv.slice(2);
const ACCOUNT = "123456789012";
const REGION = "us-east-1";
const seen = new Map<string, Call>();

/** Workgroups of queries, which later calls name by id alone. */
const workgroups = new Map<string, string>();

createServer(async (incoming, answer) => {
  const body = Buffer.concat(await incoming.toArray());
  const called = calls(incoming.method!, new URL(incoming.url!, upstream), incoming.headers, body.toString());
  called.forEach((call) => seen.set(`${call.action} ${call.resource}`, call));
  const options = {
    method: incoming.method!,
    path: incoming.url!,
    host: upstream.hostname,
    port: upstream.port,
    headers: incoming.headers,
  };
  const onward = request(options, async (response) => {
    const content = Buffer.concat(await response.toArray());
    learn(incoming.headers, body.toString(), content.toString());
    answer.writeHead(response.statusCode!, response.headers).end(content);
  });
  onward.on("error", (error) => answer.writeHead(502).end(String(error)));
  onward.end(body);
}).listen(Number(port), "127.0.0.1");

process.on("SIGTERM", () => {
  const sorted = [...seen.values()].sort((a, b) =>
    `${a.action} ${a.resource}`.localeCompare(`${b.action} ${b.resource}`),
  );
  writeFileSync(file, `${JSON.stringify(sorted, null, 2)}\n`);
  process.exit(0);
});

function calls(method: string, url: URL, headers: IncomingHttpHeaders, body: string): Call[] {
  const target = headers["x-amz-target"];
  if (typeof target === "string") return json(target, JSON.parse(body));
  if (headers["content-type"]?.startsWith("application/x-www-form-urlencoded")) return query(new URLSearchParams(body));
  return s3(method, url, body);
}

function json(target: string, body: any): Call[] {
  const [service, operation] = target.split(".") as [string, string];
  if (service === "AWSGlue") return [{ action: `glue:${operation}`, resource: glue(body) }];
  const workgroup = body.WorkGroup ?? workgroups.get(body.QueryExecutionId ?? body.QueryExecutionIds?.[0]);
  return [{ action: `athena:${operation}`, resource: `arn:aws:athena:${REGION}:${ACCOUNT}:workgroup/${workgroup}` }];
}

function glue(body: any): string {
  const arn = (path: string) => `arn:aws:glue:${REGION}:${ACCOUNT}:${path}`;
  if (!body.DatabaseName) return arn(`crawler/${body.Name}`);
  const table = body.TableName ?? body.TableInput?.Name ?? body.Name;
  return arn(table ? `table/${body.DatabaseName}/${table}` : `database/${body.DatabaseName}`);
}

function query(body: URLSearchParams): Call[] {
  // Whoever asks who he is needs no permission.
  if (body.get("Action") === "GetCallerIdentity") return [];
  return [{ action: `sns:${body.get("Action")}`, resource: body.get("TopicArn") ?? "*" }];
}

function s3(method: string, url: URL, body: string): Call[] {
  const [bucket = "", ...rest] = decodeURIComponent(url.pathname).slice(1).split("/");
  const key = rest.join("/");
  // The engine's names of files differ from run to run.
  const on = (key: string) => `arn:aws:s3:::${bucket}/${key.replace(/\d{8}_\d{6}_\w+[\w-]*$/, "FILE")}`;
  if (method === "POST" && url.searchParams.has("delete")) {
    return [...body.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key]) => ({
      action: "s3:DeleteObject",
      resource: on(key!),
    }));
  }
  if (key === "") return [{ action: "s3:ListBucket", resource: `arn:aws:s3:::${bucket}` }];
  const action = { GET: "s3:GetObject", HEAD: "s3:GetObject", PUT: "s3:PutObject", DELETE: "s3:DeleteObject" }[method];
  return [{ action: action ?? `s3:${method}`, resource: on(key) }];
}

function learn(headers: IncomingHttpHeaders, asked: string, answered: string) {
  if (headers["x-amz-target"] !== "AmazonAthena.StartQueryExecution") return;
  workgroups.set(JSON.parse(answered).QueryExecutionId, JSON.parse(asked).WorkGroup);
}
