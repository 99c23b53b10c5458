"""make.py NAME: a state, live values and plans of one small stack, each told by what differs."""
import json
import sys

WEB = {"id": "1", "size": "small", "password": "s3cret-old", "tags": {"a": "1"}}
SCALED = {"id": "2", "replicas": 2}
DOOR = {"id": "3", "open": False, "colour": "red"}
SECRET = [[{"type": "get_attr", "value": "password"}]]


def resource(kind, name, attributes, sensitive=()):
    return {"mode": "managed", "type": kind, "name": name,
            "provider": 'provider["registry.terraform.io/acme/x"]',
            "instances": [{"schema_version": 0, "attributes": attributes,
                           "sensitive_attributes": list(sensitive)}]}


def state(serial=3):
    return {"version": 4, "terraform_version": "1.9.0", "serial": serial,
            "lineage": "5f3c1b0e-0000-4000-8000-000000000001", "outputs": {}, "check_results": None,
            "resources": [resource("x_door", "front", DOOR), resource("x_thing", "scaled", SCALED),
                          resource("x_thing", "web", WEB, SECRET)]}


def live(web=None, scaled=None, door=None):
    rows = [("x_thing.web", WEB, web), ("x_thing.scaled", SCALED, scaled), ("x_door.front", DOOR, door)]
    lines = [{"complete": True}]
    for address, attributes, changed in rows:
        if changed != "gone":
            lines.append({"address": address, "attributes": {**attributes, **(changed or {})}})
    return "\n".join(json.dumps(line) for line in lines) + "\n"


def change(address, actions, before, after, unknown=None):
    kind, name = address.split(".")
    secret = {"password": True} if kind == "x_thing" else {}
    return {"address": address, "mode": "managed", "type": kind, "name": name,
            "provider_name": "registry.terraform.io/acme/x",
            "change": {"actions": actions, "before": before, "after": after,
                       "after_unknown": unknown or {}, "before_sensitive": secret,
                       "after_sensitive": secret}}


def plan(*changes, drift=(), **more):
    return {"format_version": "1.2", "terraform_version": "1.9.0", "timestamp": "2026-11-22T10:00:00Z",
            "complete": True, "errored": False, "resource_drift": list(drift),
            "resource_changes": list(changes), **more}


def write(name, value):
    with open(name, "w", encoding="utf-8") as file:
        file.write(value if isinstance(value, str) else json.dumps(value))


big = {**WEB, "size": "large", "tags": {"a": "1", "b": "2"}, "password": "s3cret-new"}
write("stack/terraform.tfstate", state())
write("same.ndjson", live())
write("drifted.ndjson", live(web={"size": "large", "tags": {"a": "1", "b": "2"}, "password": "s3cret-new"}))
write("scaled.ndjson", live(scaled={"replicas": 7}))
write("gone.ndjson", live(web="gone"))
write("painted.ndjson", live(door={"colour": "blue"}))
write("empty.json", plan(change("x_thing.web", ["no-op"], WEB, WEB)))
write("back.json", plan(change("x_thing.web", ["update"], big, WEB),
                        drift=[change("x_thing.web", ["update"], WEB, big)]))
write("keep.json", plan(change("x_thing.web", ["update"], big, {**big, "tags": {"a": "1", "b": "2", "c": "3"}}),
                        drift=[change("x_thing.web", ["update"], WEB, big)]))
write("old.json", plan(change("x_thing.web", ["update"], WEB, {**WEB, "tags": {"a": "2"}})))
write("scale.json", plan(change("x_thing.scaled", ["update"], {**SCALED, "replicas": 7}, SCALED),
                         drift=[change("x_thing.scaled", ["update"], SCALED, {**SCALED, "replicas": 7})]))
write("destroy.json", plan(change("x_thing.web", ["delete"], big, None),
                           drift=[change("x_thing.web", ["update"], WEB, big)]))
write("again.json", plan(change("x_thing.web", ["create"], None, WEB, {"id": True}),
                         drift=[change("x_thing.web", ["delete"], WEB, None)]))
write("open.json", plan(change("x_door.front", ["update"], DOOR, {**DOOR, "open": True})))
write("beside.json", plan(change("x_thing.web", ["update"], WEB, {**WEB, "size": "big"}),
                          drift=[change("x_door.front", ["update"], DOOR, {**DOOR, "colour": "blue"})]))
write("errored.json", plan(change("x_thing.web", ["update"], WEB, {**WEB, "size": "big"}), errored=True))
write("other.json", plan(change("x_thing.other", ["update"], WEB, {**WEB, "size": "big"})))
if len(sys.argv) > 1:
    write("stack/terraform.tfstate", state(int(sys.argv[1])))
