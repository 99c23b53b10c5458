"""worlds.py - what the Rego benchmark evaluates: a Terraform plan, a big data document, policies with tests. The same on every machine.

usage: worlds.py FOLDER RESOURCES USERS POLICIES
"""
import json
import random
import sys
from pathlib import Path

PLAN_POLICY = """package plan

import rego.v1

required_tags := {"Owner", "Environment", "CostCenter"}

taggable := {"aws_instance", "aws_s3_bucket", "aws_db_instance", "aws_security_group", "aws_ebs_volume", "aws_lambda_function"}

allowed_instance_types := {"t3.micro", "t3.small", "t3.medium", "m5.large", "m5.xlarge", "c5.large"}

protected := {"aws_db_instance", "aws_s3_bucket", "aws_kms_key"}

changing(rc) if {
	some action in rc.change.actions
	action in {"create", "update"}
}

deny contains msg if {
	some rc in input.resource_changes
	rc.type == "aws_s3_bucket"
	changing(rc)
	rc.change.after.acl in {"public-read", "public-read-write"}
	msg := sprintf("%s: public ACL %s", [rc.address, rc.change.after.acl])
}

deny contains msg if {
	some rc in input.resource_changes
	rc.type == "aws_security_group"
	some rule in rc.change.after.ingress
	"0.0.0.0/0" in rule.cidr_blocks
	rule.from_port <= 22
	rule.to_port >= 22
	msg := sprintf("%s: SSH is open to the world", [rc.address])
}

deny contains msg if {
	some rc in input.resource_changes
	rc.type in taggable
	changing(rc)
	missing := required_tags - {tag | some tag, _ in rc.change.after.tags}
	count(missing) > 0
	msg := sprintf("%s: missing tags %s", [rc.address, concat(", ", sort(missing))])
}

deny contains msg if {
	some rc in input.resource_changes
	rc.type == "aws_instance"
	not rc.change.after.instance_type in allowed_instance_types
	msg := sprintf("%s: instance type %s is not allowed", [rc.address, rc.change.after.instance_type])
}

deny contains msg if {
	some rc in input.resource_changes
	rc.type in protected
	"delete" in rc.change.actions
	msg := sprintf("%s: %s must not be deleted", [rc.address, rc.type])
}

deny contains msg if {
	some rc in input.resource_changes
	encryption := {"aws_db_instance": "storage_encrypted", "aws_ebs_volume": "encrypted"}[rc.type]
	object.get(rc.change.after, encryption, false) != true
	regex.match("^(prod|live)-", rc.name)
	msg := sprintf("%s: %s must be true", [rc.address, encryption])
}
"""

SMALL_POLICY = """package authz

import rego.v1

default allow := false

allow if {
	input.method == "GET"
	some grant in data.authz.grants[input.user]
	glob.match(grant.path, ["/"], input.path)
}

grants := {"alice": [{"path": "/public/*"}, {"path": "/team/*/docs"}], "bob": [{"path": "/public/*"}]}

deny contains msg if {
	some container in input.containers
	not startswith(container.image, "registry.example.com/")
	msg := sprintf("%s: image %s is not ours", [container.name, container.image])
}
"""
SMALL_INPUT = {"method": "GET", "user": "alice", "path": "/team/one/docs",
               "containers": [{"name": "web", "image": "registry.example.com/web:1"}, {"name": "side", "image": "docker.io/side"}]}

DATA_POLICY = """package lookup

import rego.v1

allow if {
	user := data.users[input.user]
	user.active
	"deploy" in user.roles
}
"""

TYPES = [("aws_instance", 30), ("aws_s3_bucket", 15), ("aws_security_group", 15), ("aws_iam_role", 15), ("aws_db_instance", 5),
         ("aws_ebs_volume", 8), ("aws_lambda_function", 7), ("aws_route53_record", 5)]


def tags(r):
    all_tags = {"Name": f"n-{r.getrandbits(24):06x}", "Owner": r.choice(["net", "data", "web"]), "Environment": r.choice(["prod", "dev"]),
                "CostCenter": str(r.randrange(1000, 9999)), "ManagedBy": "terraform"}
    if r.random() < 0.02:
        del all_tags[r.choice(["Owner", "CostCenter"])]
    return all_tags


def rule(r, port, world):
    return {"cidr_blocks": ["0.0.0.0/0"] if world else [f"10.{r.randrange(256)}.0.0/16"], "description": "", "from_port": port,
            "ipv6_cidr_blocks": [], "prefix_list_ids": [], "protocol": "tcp", "security_groups": [], "self": False, "to_port": port}


def values(r, kind, name):
    common = {"tags": tags(r), "timeouts": None}
    common["tags_all"] = dict(common["tags"])
    if kind == "aws_instance":
        own = {"ami": f"ami-{r.getrandbits(40):010x}", "associate_public_ip_address": None, "availability_zone": "eu-west-1a",
               "credit_specification": [], "ebs_optimized": True, "get_password_data": False, "hibernation": None, "iam_instance_profile": "web",
               "instance_type": r.choice(["t3.micro", "t3.small", "m5.large", "c5.large"]) if r.random() > 0.01 else "p4d.24xlarge",
               "key_name": None, "launch_template": [], "metadata_options": [{"http_endpoint": "enabled", "http_tokens": "required"}],
               "monitoring": True, "root_block_device": [{"encrypted": True, "volume_size": 20, "volume_type": "gp3"}], "source_dest_check": True,
               "subnet_id": f"subnet-{r.getrandbits(32):08x}", "user_data": None, "volume_tags": None,
               "vpc_security_group_ids": [f"sg-{r.getrandbits(32):08x}"]}
    elif kind == "aws_s3_bucket":
        own = {"acl": "private" if r.random() > 0.02 else "public-read", "bucket": name, "bucket_prefix": None, "cors_rule": [],
               "force_destroy": False, "lifecycle_rule": [{"enabled": True, "id": "old", "prefix": "", "expiration": [{"days": 90}]}], "logging": [],
               "object_lock_enabled": False, "policy": None, "replication_configuration": [], "versioning": [{"enabled": True, "mfa_delete": False}],
               "website": []}
    elif kind == "aws_security_group":
        own = {"description": "Managed by Terraform", "name": name, "vpc_id": f"vpc-{r.getrandbits(32):08x}",
               "egress": [rule(r, 0, True)], "ingress": [rule(r, port, port == 443 or r.random() < 0.01) for port in (22, 443, 8080)],
               "revoke_rules_on_delete": False}
    elif kind == "aws_iam_role":
        own = {"assume_role_policy": json.dumps({"Version": "2012-10-17", "Statement": [{"Action": "sts:AssumeRole", "Effect": "Allow",
               "Principal": {"Service": "ec2.amazonaws.com"}}]}), "description": "role", "force_detach_policies": False, "inline_policy": [],
               "max_session_duration": 3600, "name": name, "path": "/", "permissions_boundary": None}
    elif kind == "aws_db_instance":
        own = {"allocated_storage": 100, "engine": "postgres", "engine_version": "16.3", "identifier": name, "instance_class": "db.t3.medium",
               "multi_az": True, "publicly_accessible": False, "skip_final_snapshot": False, "storage_encrypted": r.random() > 0.05}
    elif kind == "aws_ebs_volume":
        own = {"availability_zone": "eu-west-1b", "encrypted": r.random() > 0.05, "iops": None, "size": r.randrange(8, 500), "type": "gp3"}
    elif kind == "aws_lambda_function":
        own = {"architectures": ["arm64"], "environment": [{"variables": {"STAGE": "prod", "LOG_LEVEL": "info"}}], "function_name": name,
               "handler": "main.handler", "layers": [], "memory_size": 256, "runtime": "python3.12", "timeout": 30}
    else:
        own = {"name": f"{name}.example.com", "records": ["10.0.0.1"], "ttl": 300, "type": "A", "zone_id": "Z0123456789"}
    return own | common


def plan(n):
    """What `terraform show -json` writes of a plan with n resources."""
    r = random.Random(4)
    kinds = [kind for kind, weight in TYPES for _ in range(weight)]
    changes, planned = [], []
    for i in range(n):
        kind = r.choice(kinds)
        name = f"{r.choice(['prod', 'dev', 'live', 'test'])}-{kind[4:]}-{i}"
        address = f"module.team_{i % 20}.{kind}.{name}"
        after = values(r, kind, name)
        action = r.choices([["create"], ["update"], ["no-op"], ["delete"], ["delete", "create"]], [70, 10, 15, 3, 2])[0]
        head = {"address": address, "module_address": f"module.team_{i % 20}", "mode": "managed", "type": kind, "name": name,
                "provider_name": "registry.terraform.io/hashicorp/aws"}
        changes.append(head | {"change": {"actions": action, "before": None if action == ["create"] else after,
                                          "after": None if action == ["delete"] else after,
                                          "after_unknown": {"arn": True, "id": True, "tags": {}, "tags_all": {}},
                                          "before_sensitive": False, "after_sensitive": {"tags": {}, "tags_all": {}}}})
        if action != ["delete"]:
            planned.append({key: head[key] for key in ("address", "mode", "type", "name", "provider_name")} |
                           {"schema_version": 1, "values": after, "sensitive_values": {"tags": {}}})
    return {"format_version": "1.2", "terraform_version": "1.9.5", "variables": {"region": {"value": "eu-west-1"}},
            "planned_values": {"root_module": {"resources": planned}}, "resource_changes": changes, "timestamp": "2026-01-01T00:00:00Z",
            "applyable": True, "complete": True, "errored": False}


def users(n):
    r = random.Random(5)
    roles = ["read", "write", "deploy", "admin", "audit"]
    return {"users": {f"user-{i:06}": {"active": r.random() > 0.1, "id": r.getrandbits(40), "roles": sorted(r.sample(roles, 2)),
                                       "team": f"team-{r.randrange(400)}"} for i in range(n)}}


KINDS = [("replicas", "spec.replicas", "count", 2, 1), ("memory", "spec.memory_mb", "amount", 512, 64),
         ("retention", "spec.retention_days", "amount", 30, 7), ("timeout", "spec.timeout_s", "amount", 60, 5)]


def policy(i):
    """A policy of a typical team and its tests: limits, names, images, labels, ports, an exemption list and a few functions."""
    kind, path, _, good, bad = KINDS[i % len(KINDS)]
    package = f"team{i:02}.{kind}"
    return f"""package {package}

import rego.v1

# METADATA
# title: {kind} of team {i}
default allow := false

minimum := {good}

exempt := {{"legacy-{i}", "sandbox"}}

allow if count(deny) == 0

is_exempt(name) if name in exempt

is_exempt(name) if glob.match("tmp-*", [], name)

deny contains msg if {{
	not is_exempt(input.metadata.name)
	input.{path} < minimum
	msg := sprintf("%s: {kind} is %d, at least %d are wanted", [input.metadata.name, input.{path}, minimum])
}}

deny contains msg if {{
	some container in input.spec.containers
	not startswith(container.image, "registry.example.com/")
	msg := sprintf("container %s: image %s is from elsewhere", [container.name, container.image])
}}

deny contains msg if {{
	some container in input.spec.containers
	endswith(container.image, ":latest")
	msg := sprintf("container %s: no :latest", [container.name])
}}

deny contains msg if {{
	missing := {{"app", "owner", "stage"}} - object.keys(input.metadata.labels)
	count(missing) > 0
	msg := sprintf("labels missing: %s", [concat(", ", sort(missing))])
}}

deny contains msg if {{
	not regex.match(`^[a-z][a-z0-9-]{{2,40}}$`, input.metadata.name)
	msg := sprintf("%s is no good name", [input.metadata.name])
}}

ports[name] := ports_of if {{
	some container in input.spec.containers
	name := container.name
	ports_of := {{port.number | some port in container.ports}}
}}

deny contains msg if {{
	some name, numbers in ports
	some number in numbers
	number < 1024
	not is_exempt(name)
	msg := sprintf("container %s: port %d is privileged", [name, number])
}}
"""


def policy_tests(i):
    kind, path, _, good, bad = KINDS[i % len(KINDS)]
    package = f"team{i:02}.{kind}"
    field = path.split(".")[1]
    return f"""package {package}_test

import rego.v1

import data.{package}

base := {{
	"metadata": {{"name": "web-{i}", "labels": {{"app": "web", "owner": "team{i}", "stage": "prod"}}}},
	"spec": {{
		"{field}": {good},
		"containers": [
			{{"name": "web", "image": "registry.example.com/web:1.{i}", "ports": [{{"number": 8080}}, {{"number": 9090}}]}},
			{{"name": "proxy", "image": "registry.example.com/proxy:2", "ports": [{{"number": 8443}}]}},
		],
	}},
}}

patched(path, value) := json.patch(base, [{{"op": "replace", "path": path, "value": value}}])

test_good if {kind}.allow with input as base

test_no_input if {kind}.allow with input as {{}}

test_too_small if {{
	some msg in {kind}.deny with input as patched("/spec/{field}", {bad})
	contains(msg, "at least {good}")
}}

test_exempt if {{
	count({kind}.deny) == 0 with input as json.patch(patched("/spec/{field}", {bad}), [{{"op": "replace", "path": "/metadata/name", "value": "legacy-{i}"}}])
}}

test_image if count({kind}.deny) == 1 with input as patched("/spec/containers/1/image", "docker.io/x:1")

test_latest if "container web: no :latest" in {kind}.deny with input as patched("/spec/containers/0/image", "registry.example.com/web:latest")

test_labels if "labels missing: owner, stage" in {kind}.deny with input as patched("/metadata/labels", {{"app": "x"}})

test_name if not {kind}.allow with input as patched("/metadata/name", "Web_{i}")

test_ports if {kind}.ports == {{"web": {{8080, 9090}}, "proxy": {{8443}}}} with input as base

test_privileged if count({kind}.deny) == 1 with input as patched("/spec/containers/0/ports/0/number", 80)

test_glob if {kind}.is_exempt("tmp-1")

test_mock if {kind}.allow with input as patched("/spec/{field}", {bad}) with {kind}.minimum as {bad}
"""


def write(folder, resources, n_users, policies):
    people = users(n_users)
    allowed = next(name for name, user in people["users"].items() if user["active"] and "deploy" in user["roles"] and name > "user-000777")
    texts = {"small.rego": SMALL_POLICY, "small.json": json.dumps(SMALL_INPUT), "plan.rego": PLAN_POLICY,
             "plan.json": json.dumps(plan(resources), separators=(",", ":")), "lookup.rego": DATA_POLICY,
             "data.json": json.dumps(people), "user.json": json.dumps({"user": allowed})}
    for i in range(policies):
        texts[f"set/p{i:02}.rego"] = policy(i)
        texts[f"set/p{i:02}_test.rego"] = policy_tests(i)
    (folder / "set").mkdir()
    for name, text in texts.items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    write(Path(sys.argv[1]), *map(int, sys.argv[2:]))
