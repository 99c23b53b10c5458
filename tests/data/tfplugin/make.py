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

ALLOWED = pb.ClientCapabilities(write_only_attributes_allowed=True)
save("validate_resource_request", pb.ValidateResourceRequest(type_name="t", config=dynamic(b"\x80"), client_capabilities=ALLOWED))
save("plan_request", pb.PlanRequest(type_name="aws_instance", prior_state=dynamic(b"\x81\xa1a\xa1b"), proposed_new_state=dynamic(b"\x81\xa1a\xa1c"),
                                    config=dynamic(b"\x81\xa1a\xc0"), prior_private=b"\x00{}", provider_meta=dynamic(b"\x80"),
                                    client_capabilities=ALLOWED, prior_identity=pb.Identity(identity_data=dynamic(b"\x81\xa2id\xa1i"))))
save("plan_request_least", pb.PlanRequest(type_name="t", prior_state=dynamic(b"\xc0"), proposed_new_state=dynamic(b"\x80"), config=dynamic(b"\x80"),
                                          client_capabilities=ALLOWED))
save("import_request", pb.ImportRequest(type_name="t", id="i-1", client_capabilities=ALLOWED))
save("import_identity_request", pb.ImportRequest(type_name="t", client_capabilities=ALLOWED, identity=pb.Identity(identity_data=dynamic(b"\x80"))))
save("generate_request", pb.GenerateRequest(type_name="t", state=dynamic(b"\x80")))
save("call_request", pb.CallRequest(name="parse", arguments=[dynamic(b"\xa1a"), dynamic(b"\x01")]))

# replies
save("read_reply", pb.ReadReply(new_state=dynamic(b"\x81\xa2id\xa1i"), diagnostics=[WARNING, ERROR, ERROR], private=b"p",
                                new_identity=pb.Identity(identity_data=dynamic(b"\x81\xa2id\xa1j"))))
save("read_gone", pb.ReadReply(new_state=dynamic(b"\xc0")))
save("read_deferred", pb.ReadReply(deferred=pb.Deferred(reason=2)))
save("read_json", pb.ReadReply(new_state=pb.DynamicValue(json=b"{}")))
save("value_reply", pb.ValueReply(value=dynamic(b"\x80"), diagnostics=[WARNING]))
save("identity_reply", pb.IdentityReply(upgraded_identity=pb.Identity(identity_data=dynamic(b"\x80"))))
save("plan_reply", pb.PlanReply(
    planned_state=dynamic(b"\x81\xa1a\xd4\x00\x00"), planned_private=b"p", diagnostics=[WARNING], legacy_type_system=True,
    requires_replace=[pb.AttributePath(steps=[pb.Step(attribute_name="name")]),
                      pb.AttributePath(steps=[pb.Step(attribute_name="disk"), pb.Step(element_key_int=0), pb.Step(attribute_name="size")])]))
save("plan_deferred", pb.PlanReply(deferred=pb.Deferred(reason=1), diagnostics=[ERROR]))
save("import_reply", pb.ImportReply(diagnostics=[WARNING], imported_resources=[
    pb.ImportedResource(type_name="t", state=dynamic(b"\x80"), private=b"q", identity=pb.Identity(identity_data=dynamic(b"\x80"))),
    pb.ImportedResource(type_name="other", state=dynamic(b"\xc0"))]))
save("call_reply", pb.CallReply(result=dynamic(b"\xa2ok")))
save("call_error", pb.CallReply(error=pb.FunctionError(text="not an ARN", function_argument=0)))
save("call_error_least", pb.CallReply(error=pb.FunctionError()))
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
    data_source_schemas={"fake_look": pb.Schema6(block=pb.Block6(attributes=[A6(name="found", type=b'"string"', computed=True)]))},
    ephemeral_resource_schemas={"fake_token": pb.Schema6(block=pb.Block6(attributes=[A6(name="token", type=b'"string"', computed=True)]))},
    functions={"parse": pb.Function(parameters=[pb.Function.Parameter(name="arn", type=b'"string"'),
                                                pb.Function.Parameter(name="part", type=b'"number"', allow_null_value=True, allow_unknown_values=True)],
                                    variadic_parameter=pb.Function.Parameter(name="rest", type=b'["list","string"]'),
                                    **{"return": pb.Function.Return(type=b'["map","string"]')}),
               "bare": pb.Function(**{"return": pb.Function.Return(type=b'"dynamic"')})},
    server_capabilities=pb.ServerCapabilities(plan_destroy=True, get_provider_schema_optional=True, generate_resource_config=True)))
save("identities", pb.IdentitySchemas(identity_schemas={
    "fake_nested": pb.IdentitySchema(version=2, identity_attributes=[
        pb.IdentityAttribute(name="region", type=b'"string"', optional_for_import=True),
        pb.IdentityAttribute(name="arn", type=b'"string"', required_for_import=True)]),
    "fake_unknown": pb.IdentitySchema(version=1)}))
