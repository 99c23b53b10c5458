"""plumb hold: the native lock object of the s3 and gcs backends, with real clients, an S3-compatible server (moto_server on the PATH) and
fake-gcs-server."""
import base64
import http.server
import json
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request

from harness import CLIENTS, Skip, Stack, check, test, wait_until
from statelock import NAME, Service, refused

CODE = """terraform {
  backend "s3" {
    bucket                      = "states"
    key                         = "net/prod.tfstate"
    region                      = "us-east-1"
    use_lockfile                = true
    use_path_style              = true
    skip_credentials_validation = true
    skip_requesting_account_id  = true
    skip_metadata_api_check     = true
    skip_region_validation      = true
    endpoints                   = { s3 = "%s" }
  }
}
output "a" { value = %d }
"""


def initialise(stack):
    """Not every client has the backend: s3 locks by objects since Terraform and OpenTofu 1.10."""
    done = stack.run("init", "-no-color", check_exit=False)
    if '"use_lockfile" is not expected' in done.stderr or "Unsupported backend type" in done.stderr:
        raise Skip(f"{stack.tool} has no such lock")
    check(done.returncode == 0, done.stderr[-1500:])


@test("tofu", cases=CLIENTS)
def hold_keeps_the_lock_object_of_s3(lab, tool):
    if tool not in lab.peers or not shutil.which("moto_server"):
        raise Skip(f"no {tool} or no moto_server here")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(["moto_server", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        def up():
            try:
                return urllib.request.urlopen(urllib.request.Request(url + "/states", method="PUT"), timeout=120).status == 200
            except OSError:
                return False
        check(wait_until(up, 30), "moto_server does not answer")
        stack = Stack(lab, "", tool=tool)
        aws = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s3cr3t-of-it", "AWS_ENDPOINT_URL_S3": url,
               "AWS_REGION": "us-east-1"}
        stack.env.update(aws)
        stack.write("main.tf", CODE % (url, 1))
        initialise(stack)
        with Service(stack.home) as service:
            service.env.update(aws)
            hold = lambda *more: service.plumb("hold", NAME, "--object", "s3://states/net/prod.tfstate", *more).stdout  # noqa: E731
            check(hold() == f"free {NAME}\n", "nothing stands against it")
            stack.run("apply", "-auto-approve", "-no-color")
            service.plumb("freeze", NAME, "--reason", "quarter end", "--until", "1h")
            check(re.match(f"held {NAME}: freeze F1 until .*: quarter end\n", hold()), "it is not held")
            stack.write("main.tf", CODE % (url, 2))
            refused(stack.run("apply", "-auto-approve", "-no-color", check_exit=False), "plumb-hold-", "quarter end")
            stack.run("plan", "-no-color", "-lock=false")
            service.plumb("freeze", "end", "F1", "--reason", "over")
            check(hold() == f"free {NAME}\n", "it is not given back")
            stack.run("apply", "-auto-approve", "-no-color")
            # a client's own lock is left alone
            lock = urllib.request.Request(url + "/states/net/prod.tfstate.tflock", data=b'{"ID":"theirs","Who":"eve@x"}', method="PUT",
                                          headers={"Content-Type": "application/json"})
            urllib.request.urlopen(lock, timeout=120)
            service.plumb("freeze", NAME, "--reason", "again", "--until", "1h")
            said = hold()
            check(said == f"locked {NAME}: eve@x\n", "a client's lock:", said)
            check(hold("--release") == f"locked {NAME}: eve@x\n", "a client's lock, at --release")
            events = [(e["outcome"], e["subject"]) for e in service.events() if e["type"] == "lock"]
            check([o for o, _ in events] == ["hold", "release"], events)
            check("s3cr3t-of-it" not in "".join(map(str, service.events())), "the key is in the log")
    finally:
        server.terminate()
        server.wait(20)


GCS = """terraform {
  backend "gcs" {
    bucket                  = "states"
    prefix                  = "net prod"
    storage_custom_endpoint = "%s/storage/v1/"
    access_token            = "t0ken"
  }
}
output "a" { value = %d }
"""


class Bucket:
    """fake-gcs-server with one bucket."""

    def __init__(self, lab):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.server = subprocess.Popen([lab.peers["gcs"][1], "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory",
                                        "-public-host", f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        def up():
            try:
                made = urllib.request.Request(self.url + "/storage/v1/b", data=b'{"name":"states"}', headers={"Content-Type": "application/json"})
                return urllib.request.urlopen(made, timeout=120).status == 200
            except OSError:
                return False
        check(wait_until(up, 30), "fake-gcs-server does not answer")
        return self

    def __exit__(self, *_):
        self.server.kill()
        self.server.wait(20)


@test("tofu", "gcs", cases=CLIENTS)
def hold_keeps_the_lock_object_of_gcs(lab, tool):
    if tool not in lab.peers:
        raise Skip(f"no {tool} here")
    with Bucket(lab) as bucket:
        stack = Stack(lab, "", tool=tool)
        stack.write("main.tf", GCS % (bucket.url, 1))
        initialise(stack)
        with Service(stack.home) as service:
            service.env["GOOGLE_OAUTH_ACCESS_TOKEN"] = "s3cr3t-of-it"
            hold = lambda *more: service.plumb("hold", NAME, "--object", "gs://states/net prod/default.tfstate", "--endpoint",  # noqa: E731
                                               bucket.url + "/", *more).stdout
            check(hold() == f"free {NAME}\n", "nothing stands against it")
            stack.run("apply", "-auto-approve", "-no-color")
            service.plumb("freeze", NAME, "--reason", "quarter end", "--until", "1h")
            check(re.match(f"held {NAME}: freeze F1 until .*: quarter end\n", hold()), "it is not held")
            check(hold().startswith("held"), "it is still held")
            stack.write("main.tf", GCS % (bucket.url, 2))
            refused(stack.run("apply", "-auto-approve", "-no-color", check_exit=False), "quarter end")
            stack.run("plan", "-no-color", "-lock=false")
            service.plumb("freeze", "end", "F1", "--reason", "over")
            check(hold() == f"free {NAME}\n", "it is not given back")
            stack.run("apply", "-auto-approve", "-no-color")
            # a client's own lock is left alone
            lock = urllib.request.Request(f"{bucket.url}/upload/storage/v1/b/states/o?uploadType=media&name=net%20prod/default.tflock",
                                          data=b'{"ID":"theirs","Who":"eve@x"}', headers={"Content-Type": "application/json"})
            urllib.request.urlopen(lock, timeout=120)
            service.plumb("freeze", NAME, "--reason", "again", "--until", "1h")
            check(hold() == f"locked {NAME}: eve@x\n", "a client's lock")
            check(hold("--release") == f"locked {NAME}: eve@x\n", "a client's lock, at --release")
            events = [(e["outcome"], e["subject"]) for e in service.events() if e["type"] == "lock"]
            check([o for o, _ in events] == ["hold", "release"], events)
            check("s3cr3t-of-it" not in "".join(map(str, service.events())), "the token is in the log")


class Tokens(http.server.BaseHTTPRequestHandler):
    """Google's token service: takes an assertion that the account's key signed, and a user's refresh token."""

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        kind, ok = form["grant_type"][0], False
        if kind == "refresh_token":
            ok = (form["client_id"], form["client_secret"], form["refresh_token"]) == (["id"], ["s3 & cret"], ["again"])
        elif kind == "urn:ietf:params:oauth:grant-type:jwt-bearer":
            head, claims, signature = form["assertion"][0].split(".")
            raw = lambda text: base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))  # noqa: E731
            (self.server.folder / "said").write_text(f"{head}.{claims}")
            (self.server.folder / "signature").write_bytes(raw(signature))
            signed = subprocess.run(["openssl", "dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "said"],
                                    cwd=self.server.folder, capture_output=True, check=False)
            said = json.loads(raw(claims))
            ok = (signed.returncode == 0 and json.loads(raw(head))["alg"] == "RS256" and said["iss"] == "plumb@states.example"
                  and said["aud"] == self.server.url and abs(said["iat"] - time.time()) < 600 and said["exp"] > said["iat"]
                  and "devstorage" in said["scope"])
        self.server.seen.append((kind, ok))
        answer = b'{"access_token": "fresh", "expires_in": 3599}'
        self.send_response(200 if ok else 401)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


@test("tofu", "gcs")
def hold_asks_google_for_a_token(lab):
    """The key of a service account signs what the token service takes; a user's refresh token; credentials that are none."""
    folder = lab.folder / "google"
    folder.mkdir()
    subprocess.run("openssl genrsa -out key.pem 2048 && openssl rsa -in key.pem -pubout -out public.pem", shell=True, check=True,
                   capture_output=True, cwd=folder)
    tokens = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tokens)
    tokens.folder, tokens.seen, tokens.url = folder, [], f"http://127.0.0.1:{tokens.server_address[1]}/token"
    threading.Thread(target=tokens.serve_forever, daemon=True).start()
    account = {"type": "service_account", "client_email": "plumb@states.example", "private_key": (folder / "key.pem").read_text(),
               "token_uri": tokens.url}
    user = {"type": "authorized_user", "client_id": "id", "client_secret": "s3 & cret", "refresh_token": "again", "token_uri": tokens.url}
    (folder / "account.json").write_text(json.dumps(account))
    with Bucket(lab) as bucket, Service(folder) as service:
        def hold(env, good=True):
            service.env.update(env)
            return service.plumb("hold", NAME, "--object", "gs://states/x/default.tfstate", "--endpoint", bucket.url, check_exit=good)
        check(hold({"GOOGLE_APPLICATION_CREDENTIALS": str(folder / "account.json")}).stdout == f"free {NAME}\n", tokens.seen)
        check(hold({"GOOGLE_CREDENTIALS": json.dumps(user)}).stdout == f"free {NAME}\n", tokens.seen)
        check(tokens.seen == [("urn:ietf:params:oauth:grant-type:jwt-bearer", True), ("refresh_token", True)], tokens.seen)
        for wrong, why in [({**user, "client_secret": "other"}, "gives no token: the answer is 401"),
                           ({"type": "external_account"}, "'external_account'"), ({"type": "service_account", "private_key": "k3y"}, "private_key")]:
            said = hold({"GOOGLE_CREDENTIALS": json.dumps(wrong)}, good=False).stderr
            check(why in said and "other" not in said and "k3y" not in said, said)
    tokens.shutdown()


APPLYING = """terraform {
%s
}
resource "terraform_data" "t" { input = "%s" }
"""
BACKENDS = {"s3": CODE[CODE.index("  backend"):CODE.index("}\noutput")].replace("%s", "{url}", 1),
            "gcs": GCS[GCS.index("  backend"):GCS.index("}\noutput")].replace("%s", "{url}", 1)}
THEIRS = b'{"ID":"theirs","Operation":"OperationTypeApply","Who":"eve@x","Created":"2026-11-22T09:30:00Z"}'


class Moto:
    """An S3-compatible server with one bucket."""

    def __init__(self, lab):
        if not shutil.which("moto_server"):
            raise Skip("no moto_server here")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.server = subprocess.Popen(["moto_server", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        def up():
            try:
                return urllib.request.urlopen(urllib.request.Request(self.url + "/states", method="PUT"), timeout=5).status == 200
            except OSError:
                return False
        check(wait_until(up, 60), "moto_server does not answer")
        return self

    def __exit__(self, *_):
        self.server.kill()
        self.server.wait(20)


def lock_of(kind, url, body):
    """Writes or (body None) deletes the lock object."""
    json_ = {"Content-Type": "application/json"}
    if kind == "s3":
        return urllib.request.Request(f"{url}/states/net/prod.tfstate.tflock", data=body, method="DELETE" if body is None else "PUT", headers=json_)
    if body is None:
        return urllib.request.Request(f"{url}/storage/v1/b/states/o/net%20prod%2Fdefault.tflock", method="DELETE")
    return urllib.request.Request(f"{url}/upload/storage/v1/b/states/o?uploadType=media&name=net%20prod/default.tflock", data=body, headers=json_)


@test("tofu", "gcs", cases=["s3", "gcs"])
def an_apply_in_a_bucket_is_waited_for_and_its_state_seen(lab, kind):
    """A client's lock object keeps a drifted stack from being alarmed of; a state that a client writes is noticed, and scanned."""
    with (Moto(lab) if kind == "s3" else Bucket(lab)) as bucket:
        stack = Stack(lab, "")
        backend = BACKENDS[kind].replace("{url}", bucket.url)
        stack.env.update(AWS_ACCESS_KEY_ID="k", AWS_SECRET_ACCESS_KEY="s3cr3t-of-it", AWS_REGION="us-east-1")
        stack.write("main.tf", APPLYING % (backend, "a"))
        stack.apply()
        (stack.home / "live.ndjson").write_text('{"complete": true}\n{"address": "terraform_data.t", "attributes": {"input": "z"}}\n')
        urllib.request.urlopen(lock_of(kind, bucket.url, THEIRS), timeout=30)
        service = Service(stack.home)
        service.close()
        for file in stack.home.glob("plumb.db*"):  # planned without a schedule: never
            file.unlink()
        service.env.update(stack.env)
        (stack.home / "plumb.yaml").write_text(
            f"version: 1\nstore: {service.store}\nschedules: [weekly]\nserve: {{watch: {{states: {{every: 1s}}}}}}\n"
            f"stacks: [{{path: root, name: {NAME}, snapshot: live.ndjson}}]\n")
        service.start()
        log = lambda: (stack.home / "serve.log").read_text()  # noqa: E731
        findings = lambda: json.loads(service.plumb("findings", "-o", "json").stdout)["findings"]  # noqa: E731
        try:
            check(wait_until(lambda: "again soon" in log(), 60), "the lock is not seen", log()[-1500:])
            check(findings() == [], "it was recorded all the same")
            if kind == "s3":
                stack.run("force-unlock", "-force", "theirs")
            else:
                urllib.request.urlopen(lock_of(kind, bucket.url, None), timeout=30)
            check(wait_until(findings, 60), "not scanned when the apply was over", log()[-1500:])
            check("a remote state changed" not in log(), "nobody wrote it yet", log()[-1500:])
            scans = log().count("scan scanned")
            stack.write("main.tf", APPLYING % (backend, "b"))
            stack.run("apply", "-auto-approve", "-no-color")
            check(wait_until(lambda: "a remote state changed" in log(), 60), "the state that was written is not noticed", log()[-1500:])
            check(wait_until(lambda: log().count("scan scanned") > scans, 60), "its stack is not scanned", log()[-1500:])
            check("s3cr3t" not in log() and "t0ken" not in log(), "a key is in the log")
        finally:
            service.close()
