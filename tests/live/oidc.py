"""Signed tokens of senders of events: an issuer of the test's own, with real keys, over a service that runs."""
import base64
import concurrent.futures
import http.server
import json
import signal
import threading
import time
import urllib.error
import urllib.request

from harness import Skip, Stack, check, test, wait_until
from statelock import Service

AUDIENCE, SENDER = "https://plumb.example.org/v1/events", "push@acme.example"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(n):
    return b64(n.to_bytes((n.bit_length() + 7) // 8, "big"))


class Issuer:
    """Its keys, and who asked for them."""

    def __init__(self):
        try:
            from cryptography.hazmat.primitives import hashes
            from cryptography.hazmat.primitives.asymmetric import padding, rsa
        except ImportError as error:
            raise Skip("no python3-cryptography here") from error
        self.make_key = lambda: rsa.generate_private_key(65537, 2048)
        self.sign_with = lambda key, data: key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        self.keys, self.asked = {"one": self.make_key()}, 0
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked += 1
                public = {kid: key.public_key().public_numbers() for kid, key in issuer.keys.items()}
                body = json.dumps({"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": number(n.n), "e": number(n.e)}
                                            for kid, n in public.items()]}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.server.shutdown()
        self.server.server_close()

    def token(self, kid="one", key=None, header=None, **claims):
        now = int(time.time())
        claims = {"iss": self.url, "aud": AUDIENCE, "email": SENDER, "email_verified": True, "iat": now, "exp": now + 600, **claims}
        head = {"alg": "RS256", "typ": "JWT", "kid": kid, **(header or {})}
        message = ".".join(b64(json.dumps(part).encode()) for part in (head, {k: v for k, v in claims.items() if v is not None}))
        return message + "." + b64(self.sign_with(key or self.keys[kid], message.encode()))


def send(service, token, count=[0]):  # noqa: B006 (one number for each event)
    count[0] += 1
    body = json.dumps({"id": f"t{count[0]}", "actor": "eve", "action": "alter", "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                       "resource": "nothing"}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{service.port}/v1/events", data=body, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def config(issuer, audience=AUDIENCE):
    return (f"events:\n  oidc: {{audience: '{audience}', emails: ['*@acme.example'], issuer: '{issuer.url}', keys: '{issuer.url}/keys'}}\n")


@test()
def events_take_tokens_of_an_issuer(lab):
    """Only what the issuer signed, for us, now, of whom plumb.yaml names; keys that change, many at once, an issuer that is away, a reload."""
    issuer = Issuer()
    stack = Stack(lab, "")
    now, stranger = int(time.time()), issuer.make_key()
    with Service(stack.home, config=config(issuer), tokens=()) as service:
        check(send(service, issuer.token()) == 202, "a good token was refused:", (stack.home / "serve.log").read_text()[-1500:])
        check(send(service, issuer.token(aud=["other", AUDIENCE])) == 202, "one audience of several")
        good = issuer.token()
        head, claims, signature = good.split(".")
        public = json.dumps({"n": number(issuer.keys["one"].public_key().public_numbers().n)}).encode()
        for says, token in {
                "another audience": issuer.token(aud="https://elsewhere.example"), "no audience": issuer.token(aud=None),
                "another issuer": issuer.token(iss="https://evil.example"), "expired": issuer.token(exp=now - 120), "no expiry": issuer.token(exp=None),
                "not valid yet": issuer.token(nbf=now + 600), "issued later": issuer.token(iat=now + 600),
                "somebody else": issuer.token(email="eve@evil.example"), "not verified": issuer.token(email_verified=False),
                "of nobody": issuer.token(email=None), "a stranger's key of that name": issuer.token(key=stranger),
                "an extension": issuer.token(header={"crit": ["b64"]}), "HS256 with the public key": issuer.token(header={"alg": "HS256"}),
                "no algorithm": b64(b'{"alg":"none"}') + "." + claims + ".", "other claims": head + "." + b64(public) + "." + signature,
                "two parts": head + "." + claims, "four": good + ".x", "no base64": head + ".%%%." + signature, "empty": "..",
                "too long": head + "." + "A" * 20000 + "." + signature}.items():
            check(send(service, token) == 401, "it was taken:", says)
        asked = issuer.asked
        check(asked == 1, "the keys were asked for more than once:", asked)

        # keys change while many send; unknown ones make nobody ask all the time
        issuer.keys["two"] = issuer.make_key()
        bad = issuer.token(kid="three", key=stranger)
        mixed = [issuer.token(), bad] * 60
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda t: send(service, t), mixed))
            check(answers == [202, 401] * 60, "under load:", answers)
            check(issuer.asked <= asked + 1, "each unknown key asks the issuer:", issuer.asked - asked)
            check(wait_until(lambda: send(service, issuer.token(kid="two")) == 202, 60), "the new key is not known after a minute")
            del issuer.keys["one"]
            answers = list(pool.map(lambda t: send(service, t), [issuer.token(kid="two"), bad] * 60))
        check(answers == [202, 401] * 60, "with the new key:", answers)
        issuer.end()
        check(send(service, issuer.token(kid="two")) == 202, "without the issuer its keys count on")

        # another audience, without a restart; the keys are known no longer, and the issuer is away: nothing counts
        text = (stack.home / "plumb.yaml").read_text()
        (stack.home / "plumb.yaml").write_text(text.replace(AUDIENCE, AUDIENCE + "/2"))
        service.process.send_signal(signal.SIGHUP)
        check(wait_until(lambda: send(service, issuer.token(kid="two")) == 401, 60), "the old audience counts on")
        check(send(service, issuer.token(kid="two", aud=AUDIENCE + "/2")) == 401, "taken without keys")
        log = (stack.home / "serve.log").read_text()
        check("it is for another audience" in log and "it has expired" in log, "the log does not say why:", log[-1500:])
        check(signature not in log and good not in log, "a token is in the log")
