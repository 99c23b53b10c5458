#!/usr/bin/python3
"""A provider whose start goes wrong as FAKE_START says and whose calls do as their request's type name says.

Messages are bytes put together by hand: it needs python3-grpcio, and no generated code.
"""
import os
import socket
import subprocess
import sys
import threading
import time

START = os.environ.get("FAKE_START", "")
PROTOCOL = os.environ.get("FAKE_PROTOCOL", "6")
SOCKET = os.path.join(os.environ["PLUGIN_UNIX_SOCKET_DIR"], "plugin%d" % os.getpid())


def handshake(*fields):
    os.write(1, ("|".join(fields) + "\n").encode())


def field(number, data):
    out = bytearray([number << 3 | 2])
    size = len(data)
    while size >= 128:
        out.append(size & 127 | 128)
        size >>= 7
    out.append(size)
    return bytes(out) + data


def raw_server(answer):
    """A server that is none: accepts, writes those bytes, and closes or stays."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(SOCKET)
    server.listen()
    handshake("1", PROTOCOL, "unix", SOCKET, "grpc", "")
    while True:
        connection, _ = server.accept()
        connection.recv(65536)
        if answer is None:
            time.sleep(1000)
        connection.sendall(answer)
        if not answer:
            connection.close()


def before_serving():
    if START == "exit":
        os.write(2, b"This binary is a plugin.\nerror: cannot load the settings\n")
        sys.exit(3)
    if START == "panic":
        os.write(2, b"panic: assignment to entry in nil map\n\ngoroutine 1 [running]:\nmain.main()\n\t/x/main.go:7\n")
        os._exit(2)
    if START == "silent":
        time.sleep(1000)
    if START == "closed-stdout":
        os.close(1)
        time.sleep(1000)
    if START == "endless-line":
        while True:
            os.write(1, b"x" * 4096)
    if START == "endless-lines":
        while True:
            os.write(1, b"not a handshake\n" * 64)
    if START == "junk":
        os.write(1, b"loading...\n| | |\n\xff\xfe binary \x00 rubbish\n")
    if START == "core":
        handshake("2", "6", "unix", SOCKET, "grpc", "")
    if START == "app":
        handshake("1", "4", "unix", SOCKET, "grpc", "")
    if START == "netrpc":
        handshake("1", "5", "unix", SOCKET, "netrpc", "")
    if START == "short":
        handshake("1", "5")
    if START == "nowhere":
        handshake("1", "5", "unix", SOCKET + ".gone", "grpc", "")
    if START == "far":
        handshake("1", "5", "tcp", "192.0.2.1:443", "grpc", "")
    if START in ("core", "app", "netrpc", "short", "nowhere", "far"):
        time.sleep(1000)
    if START == "garbage":
        raw_server(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" + os.urandom(4096))
    if START == "hang-up":
        raw_server(b"")
    if START == "mute":
        raw_server(None)


def certificate():
    """Our own key and certificate, made by the openssl program: PEM, PEM, DER in base64."""
    base = os.path.join(os.environ["TMPDIR"], "cert")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes",
                    "-keyout", base + ".key", "-out", base + ".pem", "-days", "30", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:" + ("elsewhere" if START == "wrong-name" else "localhost")],
                   check=True, capture_output=True)
    with open(base + ".key", "rb") as key, open(base + ".pem", "rb") as pem:
        key, pem = key.read(), pem.read()
    base64 = b"".join(pem.split(b"\n")[1:-2]).rstrip(b"=").decode()
    return key, pem, base64


before_serving()
import grpc  # noqa: E402: slow, and the starts above do not need it


LIVE, STARTED = os.environ.get("FAKE_LIVE"), time.time()


def parts(data):
    """Fields of a message: number -> bytes of the last one (lengths and varints only)."""
    found, at = {}, 0

    def varint(at):
        value = shift = 0
        while True:
            byte = data[at]
            value |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
            if byte < 128:
                return value, at

    while at < len(data):
        key, at = varint(at)
        size, at = varint(at)
        if key & 7 == 2:
            found[key >> 3] = data[at:at + size]
            at += size
    return found


def live(request):
    """What is there is what was recorded, or what the file $FAKE_LIVE says: gone, deny, crash; "old" before it: only
    by processes that were there before the file."""
    try:
        with open(LIVE, encoding="utf-8") as file:
            word = file.read().strip()
        if word.startswith("old "):
            word = word[4:] if STARTED < os.stat(LIVE).st_mtime else ""
    except OSError:
        word = ""
    if word == "gone":
        return field(1, field(1, b"\xc0"))
    if word == "deny":
        return field(2, b"\x08\x01" + field(2, b"the token has expired"))
    if word == "crash":
        os._exit(3)
    return field(1, parts(request)[2])


def upgraded(request, context):
    """Objects of strings as MessagePack."""
    import json
    if not LIVE:
        return request
    members = sorted(json.loads(parts(parts(request)[3])[1]).items())
    out = bytes([0x80 | len(members)])
    for text in (text for member in members for text in member):
        out += b"\xc0" if text is None else b"\xd9" + bytes([len(text)]) + text.encode()
    return field(1, field(1, out))


class Faults:
    """ReadResource by type name; everything else answers with what it got."""

    def __init__(self):
        self.stdio = []

    def read(self, request, context):
        name = request[2:2 + request[1]].decode()
        if LIVE:
            return live(request)
        if name == "denied":
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "lock \u00e9 refused: 100% \n drift")
        if name == "plain":
            raise ValueError("an exception of Python's")
        if name == "huge":
            return field(3, b"x" * 300_000_000)
        if name == "large":
            return field(3, b"y" * 20_000_000)
        if name == "hang":
            time.sleep(1000)
        if name == "slow":
            time.sleep(0.2)
        if name == "crash":
            os.write(2, b"panic: runtime error: index out of range [5] with length 3\n\ngoroutine 7 [running]:\n" +
                     b"main.f()\n\t/x/main.go:7\n" * 3000)
            os._exit(2)
        if name == "killed":
            os.kill(os.getpid(), 9)
        if name == "grandchild":
            subprocess.Popen(["sleep", "1000"])
            os._exit(1)
        if name == "flood":
            for fd in 1, 2:
                for _ in range(64):
                    os.write(fd, b"a line of a flood\n" * 4096)
        if name == "environment":
            return field(3, b"\0".join(k + b"=" + v for k, v in os.environb.items()))
        return field(3, request)

    def stream(self, request, context):
        yield b"\x08\x02" + field(2, b"printed by the provider")
        time.sleep(1000)


FAULTS = Faults()
STOPPED = threading.Event()


def shutdown(request, context):
    if START == "ignores-shutdown":
        time.sleep(1000)
    os._exit(0)


def health(request, context):
    if START == "no-health":
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "unknown service grpc.health.v1.Health")
    if START == "not-serving":
        return b"\x08\x02"
    return b"\x08\x01" if request == b"\n\x06plugin" else b"\x08\x02"


def unary(behaviour):
    return grpc.unary_unary_rpc_method_handler(behaviour)


SERVICE = "tfplugin%s.Provider" % PROTOCOL
NAMES = {"5": ("GetSchema", "PrepareProviderConfig", "Configure", "Stop", "ValidateResourceTypeConfig"),
         "6": ("GetProviderSchema", "ValidateProviderConfig", "ConfigureProvider", "StopProvider", "ValidateResourceConfig")}
METHODS = {name: unary(lambda request, context: request)
           for name in NAMES[PROTOCOL] + ("UpgradeResourceState", "UpgradeResourceIdentity", "PlanResourceChange",
                                          "ImportResourceState", "GenerateResourceConfig", "CallFunction",
                                          "ApplyResourceChange", "InvokeAction", "OfALaterVersion")}
METHODS["ReadResource"] = unary(FAULTS.read)
METHODS["UpgradeResourceState"] = unary(upgraded)
if LIVE:
    for silent in NAMES[PROTOCOL][1:3]:  # valid, and configured
        METHODS[silent] = unary(lambda request, context: b"")


def schema(request, context):
    """The bytes of $FAKE_SCHEMA, where it is set."""
    path = os.environ.get("FAKE_SCHEMA")
    if not path:
        return request
    with open(path, "rb") as file:
        return file.read()


def call(request, context):
    """The functions of tests/data/tfplugin/schema6.bin: bare() is "ok", parse("bad", ...) fails on its first argument."""
    if not os.environ.get("FAKE_SCHEMA"):
        return request
    if b"bare" in request:
        return field(1, field(1, b"\x92\xc4\x08\"string\"\xa2ok"))
    if b"\xa3bad" in request:
        return field(2, field(1, b"not an ARN") + b"\x10\x00")
    return field(1, field(1, b"\x81\xa1a\xa1b"))


METHODS[NAMES[PROTOCOL][0]] = unary(schema)
METHODS["CallFunction"] = unary(call)

from concurrent import futures  # noqa: E402

server = grpc.server(futures.ThreadPoolExecutor(max_workers=32),
                     options=[("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)])
server.add_generic_rpc_handlers((
    grpc.method_handlers_generic_handler(SERVICE, METHODS),
    grpc.method_handlers_generic_handler("plugin.GRPCController", {"Shutdown": unary(shutdown)}),
    grpc.method_handlers_generic_handler(
        "plugin.GRPCStdio", {"StreamStdio": grpc.unary_stream_rpc_method_handler(FAULTS.stream)}),
    grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": unary(health)}),
))
client = os.environ.get("PLUGIN_CLIENT_CERT", "").encode()
shown = ""
network, address = "unix", SOCKET
if START == "tcp":
    network, address = "tcp", "127.0.0.1:%d" % server.add_insecure_port("127.0.0.1:0")
elif client and START != "no-mtls":
    key, pem, shown = certificate()
    server.add_secure_port("unix:" + SOCKET, grpc.ssl_server_credentials(
        [(key, pem)], root_certificates=client, require_client_auth=True))
    if START == "other-certificate":
        shown = certificate()[2]
else:
    server.add_insecure_port("unix:" + SOCKET)
server.start()
handshake("1", PROTOCOL, network, address, "grpc", shown)
STOPPED.wait()
