"""The state lock over TLS: a certificate that plumb made itself, and clients that show one of their own."""
import subprocess

from harness import CLIENTS, check, test
from statelock import NAME, NUMBER, Service, refused, rooted

TLS = "serve:\n  tls: {self_signed: true}\n"


def certificate(folder, name):
    """A key and a certificate that it signed itself: who signed it does not matter, plumb is told which it is."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem"], cwd=folder, capture_output=True, check=True)
    return {"TF_HTTP_CLIENT_CERTIFICATE_PEM": (folder / f"{name}.pem").read_text(),
            "TF_HTTP_CLIENT_PRIVATE_KEY_PEM": (folder / f"{name}.key").read_text()}


def backend(service, **more):
    """The client trusts the file that plumb wrote, and no other."""
    env = {k: v for k, v in service.backend("apply").items() if k not in ("TF_HTTP_USERNAME", "TF_HTTP_PASSWORD")}
    return {**env, "TF_HTTP_CLIENT_CA_CERTIFICATE_PEM": (service.folder / "plumb-tls.pem").read_text(), **more}


@test("tofu", cases=CLIENTS)
def statelock_over_tls_with_a_token(lab, tool):
    """init, plan, apply and migration over https; without the certificate of the service, or with another's, nothing."""
    stack = rooted(lab, tool, NUMBER)
    with Service(stack.home, TLS) as service:
        token = {"TF_HTTP_USERNAME": "x", "TF_HTTP_PASSWORD": service.token["apply"]}
        stack.env.update(backend(service, **token))
        stack.run("init", "-no-color")
        for n in (1, 2):
            stack.run("apply", "-auto-approve", "-no-color", f"-var=n={n}")
        check([v["serial"] for v in service.versions()] in ([1, 2], [2, 1]), service.versions())
        plain = {**stack.env, **{k: v.replace("https:", "http:") for k, v in stack.env.items() if k.startswith("TF_HTTP_")}}
        stack.env["TF_HTTP_RETRY_MAX"] = "0"
        plain["TF_HTTP_RETRY_MAX"] = "0"
        del stack.env["TF_HTTP_CLIENT_CA_CERTIFICATE_PEM"]
        done = stack.run("plan", "-no-color", check_exit=False)
        check(done.returncode == 1 and "x509" in done.stdout + done.stderr, "an unknown certificate was taken:", done.stderr[-800:])
        certificate(stack.home, "other")
        stack.env["TF_HTTP_CLIENT_CA_CERTIFICATE_PEM"] = (stack.home / "other.pem").read_text()
        done = stack.run("plan", "-no-color", check_exit=False)
        check(done.returncode == 1 and "x509" in done.stdout + done.stderr, "another certificate was taken:", done.stderr[-800:])
        stack.env = plain
        check(stack.run("plan", "-no-color", check_exit=False).returncode == 1, "plaintext was answered")
        check(len(service.versions()) == 2, service.versions())


@test("tofu", cases=CLIENTS)
def statelock_knows_clients_by_their_certificate(lab, tool):
    """Without any password: the role, the stacks and the name of a token, until it is revoked."""
    stack = rooted(lab, tool, NUMBER)
    with Service(stack.home, TLS) as service:
        pipeline, planner, stranger = (certificate(stack.home, n) for n in ("pipeline", "planner", "stranger"))
        service.plumb("token", "create", "--name", "pipeline", "--role", "apply", "--stack", "net/*", "--certificate", "pipeline.pem")
        service.plumb("token", "create", "--name", "planner", "--role", "plan", "--certificate", "planner.pem")
        service.close()
        service.start()
        stack.env.update(backend(service))

        def run(who, *args):
            stack.env.update({**who, "TF_HTTP_RETRY_MAX": "0"})
            return stack.run(*args, "-no-color", check_exit=False)
        check(run(pipeline, "init").returncode == 0, "init with a certificate failed")
        check(run(pipeline, "apply", "-auto-approve", "-var=n=1").returncode == 0, "apply with a certificate failed")
        check(run(planner, "plan", "-var=n=2").returncode == 0, "plan with the planner's certificate failed")
        refused(run(planner, "apply", "-auto-approve", "-var=n=2"), "the role of this token (plan) is not enough")
        done = run(stranger, "plan")
        check(done.returncode == 1 and "requires auth" in done.stdout + done.stderr, "a certificate that nobody knows:", done.stderr)
        written = [e for e in service.events() if e["type"] == "state.write"]
        check([e["actor"]["name"] for e in written] == ["pipeline"], written)
        check(len(service.versions()) == 1 and NAME in service.states(), service.versions())
