#!/usr/bin/env python3
"""api.py OPENAPI URL PATH...: each answer is JSON as the document says. What it says in the words used there: type, required, properties, items, enum, $ref."""
import json
import sys
import urllib.error
import urllib.request

import yaml

TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None)}


def deviations(document, schema, value, at):
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    wanted = schema.get("type")
    names = [wanted] if isinstance(wanted, str) else wanted or []
    if names and not any(isinstance(value, TYPES[n]) and not (n != "boolean" and isinstance(value, bool)) for n in names):
        yield f"{at}: {value!r} is no {wanted}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is none of {schema['enum']}"
    if isinstance(value, dict):
        for name in schema.get("required", []):
            if name not in value:
                yield f"{at}: has no {name}"
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                yield from deviations(document, inner, value[name], f"{at}.{name}")
    if isinstance(value, list):
        for i, one in enumerate(value):
            yield from deviations(document, schema.get("items", {}), one, f"{at}[{i}]")


def schema_of(document, path, code):
    for template, item in document["paths"].items():
        parts, given = template.split("/"), path.split("?")[0].split("/")
        if len(parts) == len(given) and all(p == g or p.startswith("{") for p, g in zip(parts, given)) and "get" in item:
            answer = item["get"]["responses"].get(code, {})
            if "$ref" in answer:
                answer = document["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
            return answer.get("content", {}).get("application/json", {}).get("schema", {}) if answer else None
    return None


def main():
    with open(sys.argv[1], encoding="utf-8") as text:
        document = yaml.safe_load(text)
    wrong = 0
    for path in sys.argv[3:]:
        try:
            with urllib.request.urlopen(sys.argv[2] + path, timeout=10) as answer:
                code, body = str(answer.status), answer.read()
        except urllib.error.HTTPError as error:
            code, body = str(error.code), error.read()
        schema = schema_of(document, path, code)
        found = [f"{path}: status {code} is not in the document"] if schema is None else list(deviations(document, schema, json.loads(body), path))
        for one in found[:5]:
            print(one)
        wrong += len(found)
    sys.exit(1 if wrong else 0)


main()
