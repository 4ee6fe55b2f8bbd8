#!/usr/bin/env python3
"""The figures of docs/performance.md, section "On AWS". Needs Python 3.10, nothing else, and no account.

    benches/on_aws.py tables PROGRAM [COUNT]         a clean check over COUNT tables: AWS calls, time, peak memory
    benches/on_aws.py function ZIP                   the Lambda's zip: size, glibc that it needs, cold start
    benches/on_aws.py run PROGRAM PROJECT TARGET S   a run whose every query takes S seconds, beside its critical path

`run` needs AWS_ENDPOINT_URL to be a test endpoint that runs SQL and has the target's lake: one that lists queries under
/__box__/queries, and adds to their time what /__box__/latency is told.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import zipfile
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COLUMNS = 20
STARTS = 20
MIB = 1024 * 1024


def serve(handler):
    """A loopback server, and its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"127.0.0.1:{server.server_port}"


class Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": len(body)}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def tables(program, count="10000"):
    count, calls = int(count), Counter()

    class Account(Quiet):
        """Glue with so many tables, an S3 that holds nothing, and an STS that knows the caller."""

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if "X-Amz-Target" not in self.headers:
                calls["sts:GetCallerIdentity"] += 1
                return self.answer(200, IDENTITY)
            request = json.loads(body)
            action = self.headers["X-Amz-Target"].rpartition(".")[2]
            calls[f"glue:{action}"] += 1
            first = int(request.get("NextToken") or 0)
            last = min(first + request["MaxResults"], count)
            page = {"TableList": [table(number) for number in range(first, last)]}
            self.answer(200, json.dumps(page | ({"NextToken": str(last)} if last < count else {})).encode())

        def do_GET(self):
            calls["s3:GetObject"] += 1
            self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

    environment = {"AWS_ENDPOINT_URL": f"http://{serve(Account)}", **credentials()}
    with tempfile.TemporaryDirectory() as project:
        Path(project, "crawlguard.toml").write_text(SETTINGS)
        timed([program, "--quiet", "contracts", "init"], project, environment)
        calls.clear()
        seconds, memory, said = timed([program, "check"], project, environment)
    assert b"verdict: clean" in said, said
    print(f"check of {count} tables, {COLUMNS} columns each: {seconds:.1f} s, at most {memory / MIB:.0f} MiB; {dict(calls)}")


SETTINGS = """project = "figures"
default_target = "aws"
[targets.aws]
kind = "aws"
database = "figures"
warehouse = "s3://figures/tables/"
state = "s3://figures/state/"
topic = "arn:aws:sns:us-east-1:123456789012:figures"
"""


IDENTITY = b"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:user/figures</Arn><UserId>figures</UserId><Account>123456789012</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""


def table(number):
    names = [f"column_{column}" for column in range(COLUMNS)]
    return {
        "Name": f"raw_{number:06}",
        "DatabaseName": "figures",
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"classification": "json"},
        "StorageDescriptor": {
            "Columns": [{"Name": name, "Type": "string"} for name in names],
            "Location": f"s3://figures/raw/{number:06}/",
            "SerdeInfo": {
                "SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe",
                "Parameters": {"paths": ",".join(names)},
            },
        },
    }


def credentials():
    return {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def timed(command, folder, environment):
    """Seconds, peak resident bytes and stdout of a program that succeeds."""
    with tempfile.TemporaryFile() as out:
        begun = time.monotonic()
        process = subprocess.Popen(command, cwd=folder, env={**os.environ, **environment}, stdout=out)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - begun
        out.seek(0)
        assert status == 0, f"{command} ended with status {status}"
        # Linux counts in KiB, macOS in bytes.
        return seconds, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024), out.read()


def function(archive):
    print(f"zip: {os.path.getsize(archive) / MIB:.1f} MiB")
    with tempfile.TemporaryDirectory() as folder:
        binary = zipfile.ZipFile(archive).extract("bootstrap", folder)
        os.chmod(binary, 0o755)
        data = Path(binary).read_bytes()
        needs = sorted({tuple(map(int, found.split(b"."))) for found in re.findall(rb"GLIBC_(\d+\.\d+)", data)})
        print(f"unpacked: {len(data) / MIB:.1f} MiB; needs glibc {'.'.join(map(str, needs[-1]))}")
        starts = [cold_start(binary) for _ in range(STARTS)]
    print(f"from its start to its readiness for events: {statistics.median(starts) * 1000:.0f} ms, at most {max(starts) * 1000:.0f}")


def cold_start(binary):
    """Seconds until the function asks the Runtime API for its first event."""
    asked = threading.Event()

    class Runtime(Quiet):
        def do_GET(self):
            asked.set()
            time.sleep(60)

    environment = {
        "AWS_LAMBDA_RUNTIME_API": serve(Runtime),
        "AWS_LAMBDA_FUNCTION_NAME": "figures",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": "figures",
        "AWS_LAMBDA_LOG_STREAM_NAME": "figures",
        "CRAWLGUARD_PROJECT": "s3://figures/state/project.json",
        "CRAWLGUARD_TARGET": "aws",
    }
    begun = time.monotonic()
    process = subprocess.Popen([binary], env={**environment, **credentials()})
    try:
        assert asked.wait(30), "the function asks for no event"
        return time.monotonic() - begun
    finally:
        process.kill()
        process.wait()


def run(program, project, target, seconds):
    box = os.environ["AWS_ENDPOINT_URL"] + "/__box__/"

    def latency(seconds):
        body = json.dumps({"queue_s": 0, "run_s": seconds}).encode()
        urllib.request.urlopen(urllib.request.Request(box + "latency", body)).read()

    latency(float(seconds))
    try:
        wall, _, said = timed([program, "--target", target, "--quiet", "--format", "json", "run"], project, {})
    finally:
        latency(0)
    ran = json.loads(said)
    listed = json.load(urllib.request.urlopen(box + "queries"))
    queries = {query["id"]: query["end"] - query["start"] for query in listed if query["end"]}
    took, ends = [queries.get(step["query"], 0) for step in ran["steps"]], []
    for step, own in zip(ran["plan"]["steps"], took):
        ends.append(own + max((ends[before] for before in step["after"]), default=0))
    print(
        f"{ran['outcome']}: {sum(map(bool, took))} statements of {seconds} s and more; {wall:.1f} s, critical path "
        f"{max(ends):.1f} s, ratio {wall / max(ends):.3f}"
    )


if __name__ == "__main__":
    commands = {"tables": tables, "function": function, "run": run}
    if len(sys.argv) < 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])
