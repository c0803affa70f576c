"""Derives what each operation of the sandbox takes from the schema of Stripe's SDK.

    python3 parameters.py SCHEMA PARAMETERS > PARAMETERS.new

Writes the operations of PARAMETERS anew; `src/sandbox/parameters.rs` says how they are read. To add an operation, add its
name with an empty object to the file, and run this.
"""

import json
import sys

SCHEMA = json.load(open(sys.argv[1]))
DEFINITIONS = SCHEMA["$defs"]
# What the sandbox takes and does not look into.
UNSEEN = {
    "amount_details", "branding_settings", "currency_options", "custom_fields", "customer_details", "hooks", "mandate_data",
    "payment_method_data", "payment_method_options", "preferred_locales", "radar_options", "schedule_details",
    "shipping_address_collection", "shipping_options", "tax_id_data", "tax_ids",
}
DEPTH_MAX = 6


def kind(schema, depth=0):
    if "$ref" in schema:
        return kind(DEFINITIONS[schema["$ref"].split("/")[-1]], depth)
    if "anyOf" in schema:
        return one_of(schema["anyOf"], depth)
    if "enum" in schema:
        return "=" + "|".join(map(str, schema["enum"]))
    of = schema.get("type")
    if of == "array":
        return [kind(schema.get("items", {}), depth + 1)]
    if of != "object":
        return of or "any"
    if "properties" not in schema:
        return "map"
    return fields(schema, depth) if depth <= DEPTH_MAX else "any"


def one_of(schemas, depth):
    clears = any(schema.get("enum") == [""] for schema in schemas)
    others = [schema for schema in schemas if schema.get("enum") != [""] and schema.get("type") != "null"]
    kinds = [kind(schema, depth) for schema in others]
    words = [of for of in kinds if isinstance(of, str) and of.startswith("=")]
    rest = [of for of in kinds if of not in words]
    if words and not rest:
        one = "=" + "|".join(of[1:] for of in words)
    elif len(rest) == 1 and not words:
        one = rest[0]
    elif len(rest) == 1 and isinstance(rest[0], str):
        one = rest[0] + "".join("|" + of[1:] for of in words)
    else:
        one = next((of for of in rest if not isinstance(of, str)), "any")
    return clearable(one) if clears else one


def fields(schema, depth):
    described = {}
    for name, field in schema["properties"].items():
        if name in UNSEEN:
            described[name] = "any"
        elif name == "enabled_events":
            described[name] = ["string"]
        elif name == "api_version":
            described[name] = "string"
        else:
            described[name] = kind(field, depth + 1)
    if schema.get("required"):
        described["!"] = schema["required"]
    return described


def clearable(of):
    if isinstance(of, str):
        return of + "?"
    return of + ["?"] if isinstance(of, list) else {**of, "?": True}


def main():
    operations = {f"{one['method']} {one['path']}": one for one in SCHEMA["operations"]}
    lines = []
    for name in json.load(open(sys.argv[2])):
        described = kind(operations[name]["params"]) if operations[name].get("params") else {}
        described = described if isinstance(described, dict) else {}
        described.pop("source", None)
        lines.append(f" {json.dumps(name)}: {json.dumps(described, separators=(',', ':'))}")
    print("{\n" + ",\n".join(lines) + "\n}")


main()
