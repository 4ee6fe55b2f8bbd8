#!/usr/bin/env python3
"""Runs sql/*.sql on Athena and prints each model's rows as JSON.

    models.py LAKE [--sql DIR] [--slot 2026-01-02T03:04:05Z] [--database NAME]

LAKE holds one folder of JSON Lines a source; each becomes a table raw_<folder>, typed as a crawler
would. Every model is built by CREATE TABLE AS in dependency order and read back. The output is one
object, model name to sorted rows; values are the text that GetQueryResults gives, so that two
engines' outputs can be compared as they are.

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

OPENX = "org.openx.data.jsonserde.JsonSerDe"
TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
TEXT_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("lake", type=pathlib.Path)
    arguments.add_argument("--sql", type=pathlib.Path, default=pathlib.Path(__file__).parents[2] / "sql")
    arguments.add_argument("--slot", default="2026-01-02T03:04:05Z")
    arguments.add_argument("--database", default="pbright_parity")
    options = arguments.parse_args()

    bucket = options.database.replace("_", "-")
    load(options.lake, options.database, bucket)
    models = {file.stem: bind(select(file.read_text()), options.slot) for file in sorted(options.sql.glob("*.sql"))}
    rows = {name: build(options.database, bucket, name, models[name]) for name in ordered(models)}
    print("{" + ",".join(f"\n{json.dumps(name)}: [{lines(rows[name])}\n]" for name in sorted(rows)) + "\n}")


def lines(rows):
    """One line a row, so that a changed value is a changed line."""
    return ",".join("\n" + json.dumps(row, ensure_ascii=False) for row in rows)


def load(lake, database, bucket):
    """A database of its own, with the rows in S3 and one Glue table a folder."""
    s3, glue = boto3.client("s3"), boto3.client("glue")
    empty(s3, glue, database, bucket)
    s3.create_bucket(Bucket=bucket)
    glue.create_database(DatabaseInput={"Name": database})
    for folder in sorted(path for path in lake.iterdir() if path.is_dir()):
        columns = {}
        for file in sorted(folder.glob("*.json*")):
            s3.upload_file(str(file), bucket, f"{folder.name}/{file.name}")
            infer(file, columns)
        if columns:
            table = "raw_" + re.sub(r"\W", "_", folder.name.lower())
            glue.create_table(DatabaseName=database, TableInput=glue_table(table, columns, bucket, folder.name))


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


def infer(file, columns):
    """Widens `columns` (lowercase name to type) by every value of a file."""
    widest = ["boolean", "int", "bigint", "double", "string"]
    for line in file.read_text(encoding="utf-8").splitlines():
        for name, value in json.loads(line).items():
            seen = glue_type(value)
            known = columns.setdefault(name.lower(), None)
            if known is None or seen is None:
                columns[name.lower()] = known or seen
            elif known != seen:
                both = "string" if "boolean" in (known, seen) else max(known, seen, key=widest.index)
                columns[name.lower()] = both


def glue_type(value):
    if value is None:
        return None
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "int" if abs(value) < 2**31 else "bigint"
    return "double" if isinstance(value, float) else "string"


def glue_table(table, columns, bucket, prefix):
    return {
        "Name": table,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"classification": "json", "compressionType": "none", "typeOfData": "file"},
        "StorageDescriptor": {
            "Columns": [{"Name": name, "Type": kind or "string"} for name, kind in columns.items()],
            "Location": f"s3://{bucket}/{prefix}/",
            "InputFormat": TEXT_INPUT,
            "OutputFormat": TEXT_OUTPUT,
            "SerdeInfo": {"SerializationLibrary": OPENX, "Parameters": {"paths": ",".join(columns)}},
        },
    }


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
