#!/usr/bin/python3
"""Write the .bin files beside this script with Google's protobuf library (needs protoc, python3-protobuf)."""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
with tempfile.TemporaryDirectory() as place:
    subprocess.run(["protoc", "-I", HERE, "--python_out", place, "messages.proto"], check=True, cwd=HERE)
    sys.path.insert(0, place)
    import messages_pb2 as pb


def save(name, message):
    with open(os.path.join(HERE, name + ".bin"), "wb") as out:
        out.write(message.SerializeToString(deterministic=True))


def dynamic(msgpack):
    return pb.DynamicValue(msgpack=msgpack)


ERROR = pb.Diagnostic(severity=1, summary="Cannot read", detail="the \u00fcser said:\n  no\t!",
                      attribute=pb.AttributePath(steps=[pb.Step(attribute_name="ingress"), pb.Step(element_key_int=2),
                                                        pb.Step(attribute_name="tags"), pb.Step(element_key_string="a.b")]))
WARNING = pb.Diagnostic(severity=2, summary="Deprecated", detail="Deprecated")

# requests: what the client must write, byte for byte
save("validate_request", pb.ConfigRequest(config=dynamic(b"\x81\xa1a\xc0")))
save("configure_request", pb.ConfigureRequest(terraform_version="1.11.4", config=dynamic(b"\x80"),
                                              client_capabilities=pb.ClientCapabilities(write_only_attributes_allowed=True)))
save("upgrade_request", pb.UpgradeRequest(type_name="aws_instance", version=3, raw_state=pb.RawState(json=b'{"id":"' + b"x" * 300 + b'"}')))
save("upgrade_flatmap_request", pb.UpgradeRequest(type_name="t", raw_state=pb.RawState(flatmap={"id": "i", "tags.%": "0"})))
save("read_request", pb.ReadRequest(type_name="aws_instance", current_state=dynamic(b"\x81\xa2id\xd9\xff" + b"y" * 255), private=b"\x00{}",
                                    provider_meta=dynamic(b"\x80"),
                                    client_capabilities=pb.ClientCapabilities(write_only_attributes_allowed=True),
                                    current_identity=pb.Identity(identity_data=dynamic(b"\x81\xa2id\xa1i"))))
save("read_request_least", pb.ReadRequest(type_name="t", current_state=dynamic(b"\xc0"),
                                          client_capabilities=pb.ClientCapabilities(write_only_attributes_allowed=True)))

# replies
save("read_reply", pb.ReadReply(new_state=dynamic(b"\x81\xa2id\xa1i"), diagnostics=[WARNING, ERROR, ERROR], private=b"p",
                                new_identity=pb.Identity(identity_data=dynamic(b"\x81\xa2id\xa1j"))))
save("read_gone", pb.ReadReply(new_state=dynamic(b"\xc0")))
save("read_deferred", pb.ReadReply(deferred=pb.Deferred(reason=2)))
save("read_json", pb.ReadReply(new_state=pb.DynamicValue(json=b"{}")))
save("value_reply", pb.ValueReply(value=dynamic(b"\x80"), diagnostics=[WARNING]))
save("identity_reply", pb.IdentityReply(upgraded_identity=pb.Identity(identity_data=dynamic(b"\x80"))))
save("stop_reply", pb.StopReply(Error="cannot stop"))

# schemas
A5 = pb.Attribute5
thing5 = pb.Block5(version=4, description="a thing", attributes=[
    A5(name="name", type=b'"string"', required=True, description="its name"),
    A5(name="id", type=b'"string"', computed=True, optional=True),
    A5(name="password", type=b'"string"', optional=True, sensitive=True, write_only=True, deprecation_message="x"),
    A5(name="ports", type=b'["list","number"]', optional=True, deprecated=True),
    A5(name="rules", type=b'["set",["object",{"cidr":["list","string"],"port":"number"}]]', optional=True),
    A5(name="any", type=b'"dynamic"', optional=True),
], block_types=[
    pb.Nested5(type_name="timeouts", nesting=1, block=pb.Block5(attributes=[A5(name="create", type=b'"string"', optional=True)])),
    pb.Nested5(type_name="disk", nesting=2, min_items=1, max_items=8, block=pb.Block5(attributes=[A5(name="size", type=b'"number"', required=True)])),
    pb.Nested5(type_name="loose", nesting=2, block=pb.Block5(attributes=[A5(name="v", type=b'"dynamic"', optional=True)])),
    pb.Nested5(type_name="rule", nesting=3, block=pb.Block5(attributes=[A5(name="port", type=b'"number"', required=True)])),
    pb.Nested5(type_name="site", nesting=4, block=pb.Block5(attributes=[A5(name="zone", type=b'"string"', required=True)])),
    pb.Nested5(type_name="group", nesting=5, block=pb.Block5(attributes=[A5(name="x", type=b'"bool"', optional=True)])),
])
save("schema5", pb.Schemas5(
    provider=pb.Schema5(block=pb.Block5(attributes=[A5(name="region", type=b'"string"', optional=True)])),
    resource_schemas={"fake_thing": pb.Schema5(version=7, block=thing5), "fake_empty": pb.Schema5(block=pb.Block5())},
    data_source_schemas={"fake_data": pb.Schema5(block=thing5)},
    provider_meta=pb.Schema5(block=pb.Block5(attributes=[A5(name="module", type=b'"string"', optional=True)])),
    diagnostics=[WARNING]))
A6 = pb.Attribute6


def nested(mode):
    return pb.Object6(nesting=mode, attributes=[A6(name="key", type=b'"string"', required=True),
                                                A6(name="deep", nested_type=pb.Object6(nesting=1, attributes=[A6(name="n", type=b'"number"', computed=True)]))])


save("schema6", pb.Schemas6(
    provider=pb.Schema6(block=pb.Block6()),
    resource_schemas={"fake_nested": pb.Schema6(version=1, block=pb.Block6(attributes=[
        A6(name="one", nested_type=nested(1), optional=True), A6(name="list", nested_type=nested(2), optional=True),
        A6(name="set", nested_type=nested(3), optional=True), A6(name="map", nested_type=nested(4), computed=True),
        A6(name="secret", type=b'"string"', optional=True, write_only=True, sensitive=True)]))},
    server_capabilities=pb.ServerCapabilities(plan_destroy=True, get_provider_schema_optional=True)))
save("identities", pb.IdentitySchemas(identity_schemas={
    "fake_nested": pb.IdentitySchema(version=2, identity_attributes=[
        pb.IdentityAttribute(name="region", type=b'"string"', optional_for_import=True),
        pb.IdentityAttribute(name="arn", type=b'"string"', required_for_import=True)]),
    "fake_unknown": pb.IdentitySchema(version=1)}))
