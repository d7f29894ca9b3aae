# Holds what is asked and what the mock answers to an OpenAPI document. Needs the package `jsonschema`.
import json
import re

import jsonschema


def checker(document, violations):
    document = json.load(open(document))

    def validate(what, schema, value):
        schema = {**nullable(schema), "components": nullable(document["components"])}
        for error in jsonschema.Draft4Validator(schema).iter_errors(value):
            violations.append(f"{what}: {list(error.absolute_path)}: {error.message[:200]}")

    def check(method, path, query, body, status, answer):
        template = next(t for t in document["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", t), path))
        operation = document["paths"][template][method.lower()]
        what = f"{method} {template}"
        known = [resolve(document, p)["name"] for p in operation.get("parameters", [])]
        violations.extend(f"{what}: no parameter {name}" for name in query if name not in known)
        if body is not None:
            schema = resolve(document, operation["requestBody"])["content"]["application/json"]["schema"]
            properties = resolve(document, schema).get("properties", {})
            violations.extend(f"{what}: no property {name}" for name in body if name not in properties)
            validate(what + " request", schema, body)
        responses = operation["responses"]
        response = resolve(document, responses.get(str(status)) or responses[f"{status // 100}xx"])
        if path != "/pricing":  # Of that, stead reads one field.
            validate(f"{what} {status}", response["content"]["application/json"]["schema"], answer)

    return check


def resolve(document, node):
    while "$ref" in node:
        target = document
        for part in node["$ref"].split("/")[1:]:
            target = target[part]
        node = target
    return node


# OpenAPI 3.0 says `nullable` where JSON Schema has a type.
def nullable(node):
    if isinstance(node, list):
        return [nullable(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: nullable(value) for key, value in node.items()}
    if node.pop("nullable", False) is True:
        return {"anyOf": [{"type": "null"}, node]}
    return node
