#!/usr/bin/env python3
"""Deploys template.yaml to an endpoint and runs the pipeline through the deployed names, with the real Lambda binary.

    AWS_ENDPOINT_URL=… test/live.py BINARY PROJECT [calls.json]

BINARY is crawlguard-lambda. PROJECT is a project's folder with a lake and a local catalog (`crawlguard crawl`), which become
the raw files and what the crawler wrote. The endpoint has to run Athena's SQL; it lists its Athena events under
/__box__/events, and it has to be fresh: it would know an earlier pass's queries by their tokens. Each call that the binary
makes is recorded, for test/permissions.test.ts.
"""

import json
import os
import queue
import subprocess
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml
from deploy_to_moto import STACK, TEMPLATE, check, client, deploy, look

INFRA = TEMPLATE.parent
RECORDER_PORT = 5556
SOURCES = ("salesforce-leads", "source_1", "source_2", "source_3")


class Lambda:
    """The Runtime API: hands events to the binary and takes its answers. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html"""

    def __init__(self, binary, environment):
        self.events, self.answers = queue.Queue(), queue.Queue()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps(outer.events.get()).encode()
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", str(time.monotonic_ns()))
                self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 120_000))
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", f"arn:aws:lambda:us-east-1:123456789012:function:{STACK}")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.answers.put((self.path.rsplit("/", 1)[-1], json.loads(body or b"null")))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        runtime = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": STACK,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{STACK}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "live",
        }
        self.process = subprocess.Popen([binary], env={**os.environ, **environment, **runtime})

    def __call__(self, event):
        self.events.put(event)
        kind, answer = self.answers.get(timeout=120)
        if kind != "response":
            sys.exit(f"FAILED: {event}\n  {answer}")
        return answer


def lay(project):
    """Raw files, and the tables as the crawler would have written them."""
    s3, glue = client("s3"), client("glue")
    for source in SOURCES:
        table = "raw_" + source.replace("-", "_")
        for file in sorted((project / "lake" / source).iterdir()):
            s3.put_object(Bucket="pbright-prod-raw", Key=f"{source}/{file.name}", Body=file.read_bytes())
        [*_, newest] = sorted((project / ".crawlguard/catalog/pbright" / table).iterdir())
        written = json.loads(newest.read_text())
        written = written.get("Table", written)
        wanted = ("Name", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters")
        given = {key: written[key] for key in wanted if key in written}
        given["StorageDescriptor"]["Location"] = f"s3://pbright-prod-raw/{source}/"
        given["Parameters"]["UPDATED_BY_CRAWLER"] = "pbright-raw"
        glue.create_table(DatabaseName="pbright", TableInput=given)


def push():
    bundle = subprocess.run(["npm", "run", "-s", "bundle"], cwd=INFRA, check=True, capture_output=True, text=True).stdout.strip()
    client("s3").put_object(Bucket="pbright-prod-state", Key="crawlguard/project.json", Body=Path(bundle).read_bytes())


def inbox():
    """A queue that hears what the topic sends."""
    sqs, sns = client("sqs"), client("sns")
    url = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    [topic] = [it["TopicArn"] for it in sns.list_topics()["Topics"] if it["TopicArn"].endswith(":pbright-prod-alerts")]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return lambda: [json.loads(it["Body"]) for it in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])]


def daily(time):
    """What the rule's input transformer makes of a scheduled event."""
    return {"command": "daily", "time": time}


def crawled(time):
    detail = {"crawlerName": "pbright-raw", "state": "Succeeded", "accountId": "123456789012", "tablesUpdated": "1"}
    common = {"version": "0", "account": "123456789012", "region": "us-east-1", "time": time, "resources": []}
    return {**common, "id": time, "source": "aws.glue", "detail-type": "Glue Crawler State Change", "detail": detail}


def delivered(mail):
    """A message as the topic hands it to the function. https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html"""
    return {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": mail}]}


def keep_receipt(invoke, mail, run_id):
    check("the alert comes back as its receipt", invoke(delivered(mail))["receipts"], [run_id])
    kept = client("s3").get_object(Bucket="pbright-prod-state", Key=f"crawlguard/alerts/{run_id}.txt")["Body"].read().decode()
    check("the receipt is the alert", kept, f"Subject: {mail['Subject']}\n\n{mail['Message']}")


def batch(*bodies):
    """Messages of the arrivals queue. https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html"""
    return {"Records": [{"messageId": str(at), "eventSource": "aws:sqs", "body": body} for at, body in enumerate(bodies)]}


def new_file(bucket, key):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html"""
    return json.dumps({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": bucket}, "object": {"key": key}}}]})


def files_arrive(invoke):
    """The endpoint's crawler never ends, so what comes second waits for the end of the first crawl."""
    ours, theirs = new_file("pbright-prod-raw", "source_1/a+b.json"), new_file("elsewhere", "source_1/a.json")
    wrapped = json.dumps({"Type": "Notification", "Message": ours})
    check("files of others start nothing", invoke(batch(theirs)), {"batchItemFailures": []})
    crawler = lambda: client("glue").get_crawler(Name="pbright-raw")["Crawler"]["State"]
    check("no crawl yet", crawler(), "READY")
    check("what cannot be read comes again alone", invoke(batch(ours, "{", wrapped)), {"batchItemFailures": [{"itemIdentifier": "1"}]})
    check("arriving files start the crawler", crawler(), "RUNNING")
    queue = lambda: json.loads(client("s3").get_object(Bucket="pbright-prod-state", Key="crawlguard/queue.json")["Body"].read())
    check("no other crawl is owed", "crawl" in queue(), False)
    check("a file during a crawl is taken", invoke(batch(ours)), {"batchItemFailures": []})
    check("and another crawl is owed", "crawl" in queue(), True)


def deployed_rule(name):
    """Whether the deployed rule lets an event through. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html"""
    pattern = json.loads(client("events").describe_rule(Name=f"{STACK}-{name}")["EventPattern"])

    def matches(pattern, event):
        if isinstance(pattern, list):
            return event in pattern
        return all(key in event and matches(inner, event[key]) for key, inner in pattern.items())

    return lambda event: matches(pattern, event)


def finish(invoke, first):
    """Delivers an event and then those of the queries that it led to, until a run ended."""
    seen = len(box("events?after=0"))
    answer = invoke(first)
    for _ in range(600):
        if answer["ended"] or answer["state"] == "idle":
            return answer["ended"]
        events = box(f"events?after={seen}")
        seen += len(events)
        for event in filter(deployed_rule("queried"), events):
            answer = invoke(event)
            if answer["ended"]:
                return answer["ended"]
        time.sleep(0.2)
    sys.exit(f"FAILED: no end: {answer}")


def box(path):
    return json.load(urllib.request.urlopen(f"{os.environ['AWS_ENDPOINT_URL']}/__box__/{path}"))


def rename_column():
    """Breaking drift, as a crawl would leave it."""
    glue = client("glue")
    table = glue.get_table(DatabaseName="pbright", Name="raw_source_3")["Table"]
    given = {key: table[key] for key in ("Name", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters") if key in table}
    [column] = [it for it in given["StorageDescriptor"]["Columns"] if it["Name"] == "capacity"]
    column["Name"] = "max_capacity"
    glue.update_table(DatabaseName="pbright", TableInput=given)


def readers_end():
    """So much time passes that no query can be reading what the catalog shows no longer (src/pipeline/garbage.rs)."""
    s3, at = client("s3"), {"Bucket": "pbright-prod-state", "Key": "crawlguard/garbage.json"}
    garbage = json.loads(s3.get_object(**at)["Body"].read())
    garbage["since"] = dict.fromkeys(garbage["since"], "2026-01-01T00:00:00Z")
    s3.put_object(**at, Body=json.dumps(garbage))


def main(binary, project, calls="/tmp/calls.json"):
    template = yaml.safe_load(TEMPLATE.read_text())
    deploy(template)
    look()
    lay(Path(project))
    push()
    mails = inbox()
    recorder = subprocess.Popen(["node", "--import", "tsx", "test/record.ts", str(RECORDER_PORT), calls], cwd=INFRA)
    time.sleep(5)
    variables = client("lambda").get_function_configuration(FunctionName=STACK)["Environment"]["Variables"]
    invoke = Lambda(binary, {**variables, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{RECORDER_PORT}", "AWS_REGION": "us-east-1"})
    try:
        # More than the versions that are kept, so that old ones are removed.
        for day in range(1, 7):
            if day == 6:
                readers_end()
            [run] = finish(invoke, daily(f"2026-01-0{day}T12:00:00Z"))
            check(f"daily event {day}: published", (run["verdict"], run["outcome"]), ("clean", "published"))
        tables = {it["Name"] for it in client("glue").get_tables(DatabaseName="pbright")["TableList"]}
        check("published tables", {it for it in tables if it.startswith(("int_", "fact_"))} >= {"int_credentials", "fact_leads"}, True)
        check("no alert", mails(), [])
        rename_column()
        event = crawled("2026-01-07T06:00:00Z")
        check("the deployed rule lets the crawler's event through", deployed_rule("crawled")(event), True)
        [run] = finish(invoke, event)
        check("crawl event: halted", run["verdict"], "breaking")
        [mail] = mails()
        print(f"ok: one alert: {mail['Subject']}")
        keep_receipt(invoke, mail, run["run_id"])
        check("a sweep finds nothing left", invoke({"command": "sweep"})["state"], "idle")
    finally:
        invoke.process.kill()
        recorder.terminate()
        recorder.wait()
    # This target loads by schedule, so its policy allows no such calls: they are not recorded.
    invoke = Lambda(binary, {**variables, "AWS_REGION": "us-east-1"})
    try:
        files_arrive(invoke)
    finally:
        invoke.process.kill()


if __name__ == "__main__":
    main(*sys.argv[1:])
