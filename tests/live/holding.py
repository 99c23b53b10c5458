"""plumb hold: the native lock object of the s3 backend, with a real client and an S3-compatible server (moto_server on the PATH)."""
import re
import shutil
import socket
import subprocess
import urllib.request

from harness import Skip, Stack, check, test, wait_until
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


@test("tofu", cases=["tofu", "terraform"])
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
                return urllib.request.urlopen(urllib.request.Request(url + "/states", method="PUT"), timeout=5).status == 200
            except OSError:
                return False
        check(wait_until(up, 30), "moto_server does not answer")
        stack = Stack(lab, "", tool=tool)
        aws = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s3cr3t-of-it", "AWS_ENDPOINT_URL_S3": url,
               "AWS_REGION": "us-east-1"}
        stack.env.update(aws)
        stack.write("main.tf", CODE % (url, 1))
        stack.run("init", "-no-color")
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
            urllib.request.urlopen(lock, timeout=5)
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
