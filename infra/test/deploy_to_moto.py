#!/usr/bin/env python3
"""Deploys template.yaml to moto's CloudFormation, upgrades it and removes it; needs `pip install 'moto[all]==5.2.5' pyyaml`.

What moto's CloudFormation cannot deploy is listed by name, and made by the services' own calls from the same template, so
that its properties are checked too. With AWS_ENDPOINT_URL set, all is done there instead of in this process.
"""

import json
import logging
import os
import sys
import warnings
from contextlib import nullcontext
from pathlib import Path

import boto3
import yaml

TEMPLATE = Path(__file__).parent.parent / "template.yaml"
STACK = "crawlguard-pbright-prod"
REGION = "us-east-1"
# Types that moto 5.2.5 passes over.
NOT_IN_MOTO = {
    "AWS::Athena::WorkGroup",
    "AWS::CloudWatch::Alarm",
    "AWS::Glue::Crawler",
    "AWS::Glue::Database",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Logs::MetricFilter",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
}
# What the custom resource asked of its function; moto would run that in Docker.
REQUESTS = []


def client(service):
    return boto3.client(service, region_name=REGION)


def parameters(version):
    values = {"CodeBucket": "deploy", "CodeKey": f"{version}.zip", "BundleBucket": "deploy", "BundleKey": f"{version}.json", "BundleRevision": version}
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


def body():
    # moto 5.2.5 takes RetainExceptOnCreate for no retention; after a creation that went well both mean the same.
    return TEMPLATE.read_text().replace("DeletionPolicy: RetainExceptOnCreate", "DeletionPolicy: Retain")


def stack_resources():
    pages = client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=STACK)
    return [it for page in pages for it in page["StackResourceSummaries"] if "LogicalResourceId" in it]


class Resolver:
    """Puts what was made in place of `Ref`, `Fn::GetAtt` and `Fn::Join`."""

    def __init__(self, resources):
        self.resources = resources
        self.made = {it["LogicalResourceId"]: it["PhysicalResourceId"] for it in stack_resources()}

    def __call__(self, value):
        if isinstance(value, list):
            return [self(item) for item in value]
        if not isinstance(value, dict):
            return value
        match value:
            case {"Ref": name}:
                return self.made.get(name, name)
            case {"Fn::GetAtt": [name, attribute]}:
                return self.attribute(name, attribute)
            case {"Fn::Join": [between, parts]}:
                return between.join(self(part) for part in parts)
        return {key: self(item) for key, item in value.items()}

    def attribute(self, name, attribute):
        kind, made = self.resources[name]["Type"], self.made.get(name, name)
        account = client("sts").get_caller_identity()["Account"]
        if kind == "AWS::SQS::Queue":
            queue = made.rsplit("/", 1)[-1]
            return queue if attribute == "QueueName" else f"arn:aws:sqs:{REGION}:{account}:{queue}"
        return {
            "AWS::Events::Rule": f"arn:aws:events:{REGION}:{account}:rule/{made}",
            "AWS::IAM::Role": f"arn:aws:iam::{account}:role/{made}",
            "AWS::KMS::Key": f"arn:aws:kms:{REGION}:{account}:key/{made}",
            "AWS::Lambda::Function": f"arn:aws:lambda:{REGION}:{account}:function:{made}",
            "AWS::S3::Bucket": f"arn:aws:s3:::{made}",
        }[kind]


def lower_first(value):
    """CloudFormation's spelling of names in the services' own."""
    if isinstance(value, list):
        return [lower_first(item) for item in value]
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: lower_first(item) for key, item in value.items()}
    return value


def make(kind, it):
    """Makes one resource as CloudFormation would."""
    match kind:
        case "AWS::Athena::WorkGroup":
            configuration = {key: value for key, value in it["WorkGroupConfiguration"].items() if key != "RequesterPaysEnabled"}
            client("athena").create_work_group(Name=it["Name"], Description=it["Description"], Configuration=configuration)
        case "AWS::CloudWatch::Alarm":
            client("cloudwatch").put_metric_alarm(**it)
        case "AWS::Glue::Crawler":
            it = {**it, "Schedule": it["Schedule"]["ScheduleExpression"]}
            client("glue").create_crawler(**it)
        case "AWS::Glue::Database":
            client("glue").create_database(CatalogId=it["CatalogId"], DatabaseInput=it["DatabaseInput"])
        case "AWS::Lambda::EventInvokeConfig":
            client("lambda").put_function_event_invoke_config(FunctionName=it["FunctionName"], DestinationConfig=it["DestinationConfig"])
        case "AWS::Logs::MetricFilter":
            transformations = lower_first(it["MetricTransformations"])
            client("logs").put_metric_filter(
                logGroupName=it["LogGroupName"], filterName=transformations[0]["metricName"], filterPattern=it["FilterPattern"], metricTransformations=transformations
            )
        case "AWS::S3::BucketPolicy":
            # moto reads no conditions, and "no one without TLS" would lock everybody out.
            [statement] = it["PolicyDocument"]["Statement"]
            check(f"{it['Bucket']} refuses what is not TLS", statement["Condition"], {"Bool": {"aws:SecureTransport": "false"}})
        case "AWS::SNS::Subscription":
            attributes = {"FilterPolicy": json.dumps(it["FilterPolicy"])} if "FilterPolicy" in it else {}
            client("sns").subscribe(TopicArn=it["TopicArn"], Protocol=it["Protocol"], Endpoint=it["Endpoint"], Attributes=attributes)
        case "AWS::SNS::TopicPolicy":
            for topic in it["Topics"]:
                client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(it["PolicyDocument"]))
        case "AWS::SQS::QueuePolicy":
            for queue in it["Queues"]:
                client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(it["PolicyDocument"])})


def deploy(template):
    s3 = client("s3")
    s3.create_bucket(Bucket="deploy")
    for version in ("r1", "r2"):
        s3.put_object(Bucket="deploy", Key=f"{version}.zip", Body=empty_zip())
        s3.put_object(Bucket="deploy", Key=f"{version}.json", Body=b"{}")
    client("cloudformation").create_stack(StackName=STACK, TemplateBody=body(), Parameters=parameters("r1"), Capabilities=["CAPABILITY_IAM"])
    made = {it["LogicalResourceId"] for it in stack_resources()}
    missing = {name: it["Type"] for name, it in template["Resources"].items() if name not in made}
    for name, kind in sorted(missing.items(), key=lambda it: (it[1], it[0])):
        print(f"not in moto's CloudFormation: {kind} {name}")
    expected = {name for name, it in template["Resources"].items() if it["Type"] in NOT_IN_MOTO}
    check("moto deploys all but what it is known to pass over", set(missing), expected)
    resolve = Resolver(template["Resources"])
    for name in missing:
        resource = template["Resources"][name]
        make(resource["Type"], resolve(resource["Properties"]))


def empty_zip():
    return b"PK\x05\x06" + bytes(18)


def check(what, found, expected):
    if found != expected:
        sys.exit(f"FAILED: {what}:\n  found    {found}\n  expected {expected}")
    print(f"ok: {what}")


def look():
    """What is deployed, as the services themselves say."""
    s3, glue, lambdas, events = client("s3"), client("glue"), client("lambda"), client("events")
    buckets = sorted(it["Name"] for it in s3.list_buckets()["Buckets"] if it["Name"].startswith("pbright"))
    check("four buckets", buckets, [f"pbright-prod-{it}" for it in ("raw", "results", "state", "warehouse")])
    for bucket in buckets:
        [rule] = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        check(f"{bucket} is encrypted", rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"], "aws:kms")
    targets = glue.get_crawler(Name="pbright-raw")["Crawler"]["Targets"]["S3Targets"]
    check("the crawler has a target a source", len(targets), 4)
    check("the database", glue.get_database(Name="pbright")["Database"]["Name"], "pbright")
    group = client("athena").get_work_group(WorkGroup="pbright")["WorkGroup"]["Configuration"]
    check("the workgroup's output", group["ResultConfiguration"]["OutputLocation"], "s3://pbright-prod-results/queries/")
    function = lambdas.get_function_configuration(FunctionName=STACK)
    check("the function's project", function["Environment"]["Variables"]["CRAWLGUARD_PROJECT"], "s3://pbright-prod-state/crawlguard/project.json")
    rules = sorted(it["Name"] for it in events.list_rules(NamePrefix=STACK)["Rules"])
    check("four rules", rules, [f"{STACK}-{it}" for it in ("crawled", "daily", "queried", "sweep")])
    for rule in rules:
        [target] = events.list_targets_by_rule(Rule=rule)["Targets"]
        check(f"{rule} starts the function", target["Arn"], function["FunctionArn"])
    alarms = sorted(it["AlarmName"] for it in client("cloudwatch").describe_alarms()["MetricAlarms"])
    check("six alarms", alarms, [f"{STACK}-{it}" for it in ("dead-letters", "errors", "no-run", "not-started", "slow-run", "throttles")])
    alerts = [it for it in client("sns").list_subscriptions()["Subscriptions"] if it["TopicArn"].endswith(":pbright-prod-alerts")]
    protocols = sorted(it["Protocol"] for it in alerts)
    check("alerts are mailed, and kept as receipts", protocols, ["email", "lambda"])
    bundles = [it["ResourceProperties"]["Bundle"] for it in REQUESTS]
    check("the project is handed to its function", bundles, [] if os.environ.get("AWS_ENDPOINT_URL") else ["s3://deploy/r1.json"])


def upgrade():
    s3 = client("s3")
    s3.put_object(Bucket="pbright-prod-raw", Key="source_1/2026-01-02.csv", Body=b"a,b\n1,2\n")
    key = client("kms").list_keys()["Keys"]
    client("cloudformation").update_stack(StackName=STACK, TemplateBody=body(), Parameters=parameters("r2"), Capabilities=["CAPABILITY_IAM"])
    check("an upgrade keeps the files", s3.get_object(Bucket="pbright-prod-raw", Key="source_1/2026-01-02.csv")["Body"].read(), b"a,b\n1,2\n")
    check("an upgrade keeps the key", client("kms").list_keys()["Keys"], key)


def remove():
    client("cloudformation").delete_stack(StackName=STACK)
    s3 = client("s3")
    check("removing leaves the files", s3.get_object(Bucket="pbright-prod-raw", Key="source_1/2026-01-02.csv")["Body"].read(), b"a,b\n1,2\n")
    buckets = [it["Name"] for it in s3.list_buckets()["Buckets"] if it["Name"].startswith("pbright")]
    check("removing leaves the buckets", len(buckets), 4)
    topics = [it["TopicArn"].rsplit(":", 1)[-1] for it in client("sns").list_topics()["Topics"]]
    check("removing leaves the topic", topics, ["pbright-prod-alerts"])
    check("removing removes the functions", client("lambda").list_functions()["Functions"], [])
    check("removing removes the rules", client("events").list_rules(NamePrefix=STACK)["Rules"], [])


def main():
    template = yaml.safe_load(TEMPLATE.read_text())
    deploy(template)
    look()
    upgrade()
    remove()


def in_process():
    if os.environ.get("AWS_ENDPOINT_URL"):
        return nullcontext()
    os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", MOTO_ACCOUNT_ID="123456789012")
    from moto import mock_aws
    from moto.awslambda.models import LambdaFunction

    LambdaFunction.invoke = lambda self, body, *_: REQUESTS.append(json.loads(body))
    # It says of each resource once more what is printed below.
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")

    return mock_aws(config={"lambda": {"use_docker": False}, "core": {"mock_credentials": True}})


if __name__ == "__main__":
    with in_process():
        main()
