#!/usr/bin/env python3
"""Evaluates every expression of tests/fixtures/engine/trino.tsv on Trino and writes its answer beside it.

Each line of the fixture: expression, tab, answer as Athena's GetQueryResults spells it (NULL is \\N, a failed query
is ERROR). Athena engine version 3 is built from Trino; AWS has no offline one.
Usage: trino_expressions.py http://127.0.0.1:8080
"""

import json
import sys
import urllib.request
from pathlib import Path

FIXTURE = Path(__file__).parent.parent / "fixtures/engine/trino.tsv"


class Failed(Exception):
    """Trino refused the expression, or it failed."""


def fetch(url, body=None):
    headers = {"X-Trino-User": "parity", "X-Trino-Time-Zone": "UTC"}
    request = urllib.request.Request(url, data=body, headers=headers)
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def evaluate(server, expression):
    page = fetch(f"{server}/v1/statement", f"SELECT {expression} AS answer".encode())
    columns, rows = None, []
    while True:
        if "error" in page:
            raise Failed(page["error"]["message"])
        columns = page.get("columns") or columns
        rows += page.get("data") or []
        if "nextUri" not in page:
            return columns[0]["typeSignature"], rows[0][0]
        page = fetch(page["nextUri"])


def double(value):
    """Java's Double.toString."""
    if isinstance(value, str):
        return value
    sign = "-" if str(value).startswith("-") else ""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    if not digits.strip("0"):
        return f"{sign}0.0"
    power = len(whole) - 1 - (len(whole + fraction) - len(digits)) + int(exponent or 0)
    digits = digits.rstrip("0") or "0"
    if not 1e-3 <= abs(value) < 1e7:
        return f"{sign}{digits[0]}.{digits[1:] or '0'}E{power}"
    if power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{digits}"
    digits = digits.ljust(power + 1, "0")
    return f"{sign}{digits[:power + 1]}.{digits[power + 1:] or '0'}"


def text(signature, value):
    kind, arguments = signature["rawType"], [argument["value"] for argument in signature["arguments"]]
    if value is None:
        return "null"
    if kind == "boolean":
        return str(value).lower()
    if kind in ("double", "real"):
        return double(value)
    if kind == "varbinary":
        raise Failed("binary")
    if kind == "array":
        return f"[{', '.join(text(arguments[0], element) for element in value)}]"
    if kind == "map":
        return "{" + ", ".join(f"{key}={text(arguments[1], element)}" for key, element in value.items()) + "}"
    if kind == "row":
        names = [(argument.get("fieldName") or {}).get("name") for argument in arguments]
        pairs = zip(names, arguments, value)
        fields = [f"{name or f'field{i}'}={text(a['typeSignature'], v)}" for i, (name, a, v) in enumerate(pairs)]
        return "{" + ", ".join(fields) + "}"
    return str(value)


def answer(server, expression):
    try:
        signature, value = evaluate(server, expression)
        written = "\\N" if value is None else text(signature, value)
    except Failed as error:
        print(f"{expression}\n    {error}", file=sys.stderr)
        return "ERROR"
    return written if value is None else written.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")


def main():
    lines = []
    for line in FIXTURE.read_text().splitlines():
        expression = line.split("\t")[0]
        known = expression and not expression.startswith("#")
        lines.append(f"{expression}\t{answer(sys.argv[1], expression)}" if known else line)
    FIXTURE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
