#!/usr/bin/env python3
"""Runs a project's models on Athena and prints their rows as JSON.

    models.py LAKE PROJECT... [--slot 2026-01-02T03:04:05Z] [--database NAME]

LAKE holds one folder a source; each becomes the table raw_<folder> that contracts/ of a PROJECT promises.
Every model in sql/ of the PROJECTs is built by CREATE TABLE AS in dependency order and read back. The
output is one object, model name to sorted rows; values are the text that GetQueryResults gives, so that
two engines' outputs can be compared as they are. tests/fixtures/models/sample_on_trino.json is

    models.py src/sample/data/lake . src/sample

Needs boto3 and an Athena endpoint in the usual AWS_* variables (AWS_ENDPOINT_URL for a local one).
A database and a bucket of the given name are dropped and made anew.
"""

import argparse
import json
import pathlib
import re
import sys
import time

import boto3


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("lake", type=pathlib.Path)
    arguments.add_argument("project", type=pathlib.Path, nargs="+")
    arguments.add_argument("--slot", default="2026-01-02T03:04:05Z")
    arguments.add_argument("--database", default="crawlguard_parity")
    options = arguments.parse_args()

    bucket = options.database.replace("_", "-")
    contracts = [json.loads(file.read_text()) for file in files(options.project, "contracts/raw_*.json")]
    load(options.lake, contracts, options.database, bucket)
    models = {file.stem: bind(select(file.read_text()), options.slot) for file in files(options.project, "sql/*.sql")}
    rows = {name: build(options.database, bucket, name, models[name]) for name in ordered(models)}
    print("{" + ",".join(f"\n{json.dumps(name)}: [{lines(rows[name])}\n]" for name in sorted(rows)) + "\n}")


def files(projects, pattern):
    return [file for project in projects for file in sorted(project.glob(pattern))]


def lines(rows):
    """One line a row, so that a changed value is a changed line."""
    return ",".join("\n" + json.dumps(row, ensure_ascii=False) for row in rows)


def load(lake, contracts, database, bucket):
    """A database of its own, with the files in S3 and one Glue table a folder."""
    s3, glue = boto3.client("s3"), boto3.client("glue")
    empty(s3, glue, database, bucket)
    s3.create_bucket(Bucket=bucket)
    glue.create_database(DatabaseInput={"Name": database})
    promised = {contract["name"]: contract["schema"][0] for contract in contracts}
    for folder in sorted(path for path in lake.iterdir() if path.is_dir()):
        for file in sorted(folder.iterdir()):
            s3.upload_file(str(file), bucket, f"{folder.name}/{file.name}")
        name = "raw_" + re.sub(r"\W", "_", folder.name.lower())
        glue.create_table(DatabaseName=database, TableInput=table(promised[name], f"s3://{bucket}/{folder.name}/"))


def table(schema, location):
    """The Glue table that a contract promises."""
    own = {entry["property"].removeprefix("crawlguard."): entry["value"] for entry in schema["customProperties"]}
    header = {"skip.header.line.count": str(own["skipHeaderLines"])} if "skipHeaderLines" in own else {}
    return {
        "Name": schema["name"],
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"classification": own["classification"], "compressionType": own["compression"], **header},
        "StorageDescriptor": {
            "Columns": [{"Name": column["name"], "Type": column["physicalType"]} for column in schema["properties"]],
            "Location": location,
            "InputFormat": own["inputFormat"],
            "OutputFormat": own["outputFormat"],
            "SerdeInfo": {"SerializationLibrary": own["serde"], "Parameters": own.get("serdeParameters", {})},
        },
    }


def empty(s3, glue, database, bucket):
    if any(found["Name"] == bucket for found in s3.list_buckets()["Buckets"]):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for found in page.get("Contents", []):
                s3.delete_object(Bucket=bucket, Key=found["Key"])
        s3.delete_bucket(Bucket=bucket)
    if any(found["Name"] == database for found in glue.get_databases()["DatabaseList"]):
        for table in glue.get_tables(DatabaseName=database)["TableList"]:
            glue.delete_table(DatabaseName=database, Name=table["Name"])
        glue.delete_database(Name=database)


def select(text):
    """The SELECT, without the header block and a trailing semicolon."""
    return re.sub(r"\A\s*/\*.*?\*/", "", text, flags=re.DOTALL).strip().rstrip(";")


def bind(text, slot):
    """The slot's literals in the place of the clock; the models have neither word in a string."""
    day, clock = slot.rstrip("Z").split("T")
    text = re.sub(r"\bcurrent_timestamp\b", f"TIMESTAMP '{day} {clock}.000 UTC'", text)
    return re.sub(r"\bcurrent_date\b", f"DATE '{day}'", text)


def ordered(models):
    """Model names, each after those it reads."""
    done = []
    while len(done) < len(models):
        ready = [
            name
            for name, text in models.items()
            if name not in done
            and not any(re.search(rf"\b{other}\b", text) for other in models if other != name and other not in done)
        ]
        if not ready:
            sys.exit(f"models read each other in a circle: {sorted(set(models) - set(done))}")
        done += ready
    return done


def build(database, bucket, name, text):
    location = f"s3://{bucket}/models/{name}/"
    query(database, bucket, f"CREATE TABLE {name} WITH (format = 'PARQUET', external_location = '{location}') AS {text}")
    columns, *rows = query(database, bucket, f"SELECT * FROM {name}")
    return sorted((dict(zip(columns, row)) for row in rows), key=json.dumps)


def query(database, bucket, text):
    """The rows of a statement as text and None, the header first."""
    athena = boto3.client("athena")
    started = athena.start_query_execution(
        QueryString=text,
        QueryExecutionContext={"Database": database},
        ResultConfiguration={"OutputLocation": f"s3://{bucket}/results/"},
    )["QueryExecutionId"]
    while True:
        status = athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]["Status"]
        if status["State"] == "SUCCEEDED":
            break
        if status["State"] in ("FAILED", "CANCELLED"):
            sys.exit(f"{status.get('StateChangeReason', status['State'])}\n{text}")
        time.sleep(0.1)
    pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=started)
    return [[cell.get("VarCharValue") for cell in row["Data"]] for page in pages for row in page["ResultSet"]["Rows"]]


if __name__ == "__main__":
    main()
