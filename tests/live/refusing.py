"""Who takes some, or nothing for now: a full queue of events, a mail server that refuses some recipients; the alarm about an audit source."""
import collections
import concurrent.futures
import email
import email.policy
import json
import re
import socketserver
import sqlite3
import threading
import time
import urllib.error
import urllib.request

from alerting import Listening, World
from harness import check, test, wait_until

HOOK = "  - {to: webhook, name: hook, url: env:HOOK, format: plumb, allow_private: true}\n"


def post(world, body):
    """Status, head and text of the answer to one event."""
    request = urllib.request.Request(f"http://127.0.0.1:{world.port}/v1/events", data=json.dumps(body).encode(), method="POST",
                                     headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def event(n):
    return {"id": f"e{n}", "actor": "erin@example.org", "action": "change", "resource": "a", "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}


@test()
def a_full_queue_of_events_says_when_to_come_again(lab):
    """While the store is held, 64 requests wait and the others get 429; what got 202 is there, what was sent again is there, each once."""
    sent = 150
    with World(HOOK) as world, concurrent.futures.ThreadPoolExecutor(sent) as pool:
        world.env["HOOK"] = Listening().url
        world.scan()
        world.start()
        other = sqlite3.connect(world.folder / "plumb.db", isolation_level=None, timeout=30)
        other.execute("BEGIN IMMEDIATE")
        asked = {n: pool.submit(post, world, event(n)) for n in range(sent)}
        full = wait_until(lambda: sum(f.done() for f in asked.values()) >= sent - 64, 60)
        early = {n: f.result() for n, f in asked.items() if f.done()}
        other.execute("ROLLBACK")
        other.close()
        check(full, "nobody was sent away:", len(early))
        answers = {n: f.result() for n, f in asked.items()}
        check({a[0] for a in early.values()} == {429}, collections.Counter(a[0] for a in early.values()))
        for status, head, text in early.values():
            problem = json.loads(text)
            check(1 <= int(head["Retry-After"]) <= 60, "Retry-After:", head["Retry-After"])
            check(head["Content-Type"] == "application/problem+json" and problem["status"] == 429 and problem["instance"] == "/v1/events" and
                  problem["type"].startswith("urn:plumb:problem:") and problem["title"] and problem["detail"], text)
        taken = {n for n, a in answers.items() if a[0] == 202}
        check(len(taken) >= 64, "taken:", collections.Counter(a[0] for a in answers.values()))
        kept = {row["event"] for row in world.history("SELECT event FROM activity")}
        check({f"e{n}" for n in taken} <= kept, "acknowledged, and lost:", {f"e{n}" for n in taken} - kept)
        for n in set(answers) - taken:
            check(wait_until(lambda n=n: post(world, event(n))[0] == 202, 60), "never taken:", n)
        world.kill()
        check(world.history("SELECT count(*) n, count(DISTINCT event) d FROM activity") == [{"n": sent, "d": sent}], "not each once")
    print(f"    {len(taken)} of {sent} taken at once, {len(early)} sent away with 429")


@test()
def who_ends_an_audit_source_is_told(lab):
    """CloudTrail's StopLogging is an event of its own in the log, and an alert of the highest severity, once."""
    hook = Listening()
    with World(HOOK) as world:
        world.env["HOOK"] = hook.url
        world.scan()
        world.start()
        check(wait_until(lambda: world.listed()["receivers"][0]["since"], 30), "the receiver is not known")
        stop = {"eventVersion": "1.08", "eventSource": "cloudtrail.amazonaws.com", "eventName": "StopLogging", "eventID": "stop-1", "awsRegion": "eu-west-1",
                "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "recipientAccountId": "111122223333", "sourceIPAddress": "198.51.100.7",
                "userIdentity": {"type": "IAMUser", "userName": "mallory", "accountId": "111122223333"},
                "requestParameters": {"name": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all"}}
        for _ in range(2):  # CloudTrail delivers twice
            status, _, text = post(world, stop)
            check(status == 202, status, text)
        check(post(world, {**stop, "eventID": "failed-1", "errorCode": "AccessDenied"})[0] == 202, "one that failed")
        check(wait_until(lambda: len(hook.got) == 2, 30), "not told", hook.got, (world.folder / "serve.log").read_text()[-2000:])
        for body in (body for _, body in hook.got):
            tried = "failed-1" in body["text"]
            check(body["status"] == "notice" and body["severity"] == "critical", body)
            check(body["title"] == f"somebody {'tried to end or change' if tried else 'ended or changed'} an audit source", body["title"])
            check(("in vain" in body["text"]) == tried, body["text"])
            for word in ("mallory", "StopLogging", "111122223333"):
                check(word in body["text"], word, "is not told:", body)
        log = world.history("SELECT type FROM audit_event WHERE type = 'activity.alarm'")
        check(len(log) == 2 and len({key for key, _ in hook.got}) == 2, "events of the audit log:", log)


class Greylister(socketserver.ThreadingTCPServer):
    """A mail server that answers each recipient as it is told: 250, 4yz or 5yz; what it took, by recipient."""
    allow_reuse_address, daemon_threads = True, True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Talk)
        self.lock, self.answers, self.data_answer = threading.Lock(), {}, "250 2.0.0 taken"
        self.taken, self.asked, self.mails = collections.defaultdict(list), collections.Counter(), 0
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


class Talk(socketserver.StreamRequestHandler):
    """RFC 5321, as far as a client of ours goes."""

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def body(self):
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line[1:] if line.startswith(b".") else line)
        return None

    def handle(self):
        server, to = self.server, []
        self.say("220 grey.test ESMTP")
        for raw in self.rfile:
            line = raw.decode().rstrip("\r\n")
            verb = line.split(" ")[0].split(":")[0].upper()
            if verb in ("EHLO", "HELO"):
                self.say("250-grey.test")
                self.say("250 8BITMIME")
            elif verb in ("MAIL", "RSET"):
                to = []
                self.say("250 2.1.0 ok")
            elif verb == "RCPT":
                who = re.search(r"<([^>]*)>", line).group(1)
                with server.lock:
                    server.asked[who] += 1
                    answer = server.answers.get(who, "250 2.1.5 ok")
                if answer.startswith("250"):
                    to.append(who)
                self.say(answer)
            elif verb == "DATA" and not to:
                self.say("554 5.5.1 no valid recipients")
            elif verb == "DATA":
                self.say("354 go on")
                text = self.body()
                if text is None:
                    return
                with server.lock:
                    answer = server.data_answer
                    if answer.startswith("250"):
                        server.mails += 1
                        for who in to:
                            server.taken[who].append(email.message_from_bytes(text, policy=email.policy.default))
                self.say(answer)
            elif verb == "QUIT":
                self.say("221 2.0.0 bye")
                return
            else:
                self.say("500 5.5.2 what?")


@test()
def a_mail_goes_to_each_recipient_once(lab):
    """One takes it, one is greylisted, one does not exist: who took it is not sent it again, whatever is killed; who is refused is named."""
    server = Greylister()
    receiver = ("  - {to: email, name: mail, url: env:MAIL, from: plumb@example.test, group: none, when: not status = notice,\n"
                "     recipients: [ops@example.test, later@example.test, nobody@example.test]}\n"
                "  - {to: email, name: lost, url: env:MAIL, from: plumb@example.test, group: none, recipients: [nobody@example.test]}\n")
    with World(receiver) as world:
        world.env["MAIL"] = f"smtp://127.0.0.1:{server.port}"
        server.answers = {"later@example.test": "451 4.7.1 greylisted, come again", "nobody@example.test": "550 5.1.1 no such user here"}
        world.start()
        check(wait_until(lambda: all(r["since"] for r in world.listed()["receivers"]), 30), "the receivers are not known")
        world.value["a"] = 1
        world.scan()
        check(wait_until(lambda: server.taken["ops@example.test"], 30), "ops got nothing")
        check(wait_until(lambda: server.asked["later@example.test"] >= 2, 60), "it was not tried again", server.asked)

        def alert(name, state):
            return [a for a in world.listed("--state", state)["alerts"] if a["receiver"] == name]
        check(len(alert("mail", "waiting")) == 1 and len(alert("lost", "dead")) == 1, world.listed())
        waits, = alert("mail", "waiting")
        for words in ("2 of 3 recipients", "later@example.test: 451 4.7.1 greylisted", "nobody@example.test"):
            check(words in waits["said"], words, "is not said:", waits)
        dead, = alert("lost", "dead")
        check("550 5.1.1 no such user here" in dead["said"], "a dead letter does not say why:", dead)
        text = world.plumb("notify", "list").stdout
        check("no such user here" in text and "greylisted" in text, "not for people:", text)
        world.kill()  # what is known of each recipient outlives the process
        with server.lock:
            server.answers.pop("later@example.test")
        world.history("UPDATE alert SET next_utc_ms = 0 WHERE state = 'waiting'")  # nobody waits for five minutes here
        world.start()
        check(wait_until(lambda: server.taken["later@example.test"], 60), "later never got it", world.listed("--state", "all"))
        check(wait_until(lambda: not alert("mail", "waiting"), 30), world.listed())
        # who got it has got it, and the receiver has not failed; the one who never got it is a dead letter, and named in the log
        check(len(alert("mail", "taken")) == 2, alert("mail", "taken"))
        dead, = alert("mail", "dead")
        check("nobody@example.test was refused" in dead["said"] and "ops" not in dead["said"], dead)
        health, = [r for r in world.listed()["receivers"] if r["name"] == "mail"]
        check(health["failures"] == 0 and health["taken"], "it counts as failed:", health)
        check("nobody@example.test" in world.plumb("notify", "list").stdout.splitlines()[0], world.plumb("notify", "list").stdout)
        check("warn alerts sent" in (world.folder / "serve.log").read_text(), "not in the log")
        world.value["a"] = 0  # the thread goes on: its end goes to all who are there
        world.scan()
        check(wait_until(lambda: [len(server.taken[f"{w}@example.test"]) for w in ("ops", "later")] == [2, 2], 60), dict(server.asked))
        # who is greylisted first and then refused makes a dead letter; sent again it goes to nobody who has it
        server.answers["later@example.test"] = "451 4.7.1 greylisted, come again"
        world.value["b"] = 1
        world.scan()
        check(wait_until(lambda: len(server.taken["ops@example.test"]) == 3 and alert("mail", "waiting"), 30), world.listed())
        server.answers["later@example.test"] = "550 5.7.1 not from you"
        check(wait_until(lambda: any("later@example.test: 550 5.7.1 not from you" in a["said"] for a in alert("mail", "dead")), 60), world.listed())
        del server.answers["later@example.test"]
        check(world.plumb("notify", "retry", "--dead").returncode == 0, "retry")
        check(wait_until(lambda: len(server.taken["later@example.test"]) == 3, 60), world.listed())
        check(world.kill(15) == 0, "the service did not end well")
        for who in ("ops", "later"):
            check(server.taken[f"{who}@example.test"].pop()["X-Plumb-Status"] == "new", "the third mail of", who)
            mails = server.taken[f"{who}@example.test"]
            check([m["X-Plumb-Status"] for m in mails] == ["new", "resolved"], who, [m["Subject"] for m in mails])
            check(mails[0]["References"] == mails[1]["References"], "not one thread for", who)
        check(not server.taken["nobody@example.test"], "a refused one was sent a mail")
        first = {who: server.taken[f"{who}@example.test"][0]["Message-ID"] for who in ("ops", "later")}
        check(len(set(first.values())) == 1, "one mail, two names:", first)
        print(f"    tries of each: {dict(server.asked)}, mails: {server.mails}")


@test()
def a_mail_that_is_refused_as_a_whole(lab):
    """What the server says of the content counts for all of its recipients: 4yz is tried again, 5yz is a dead letter; neither is sent twice."""
    server = Greylister()
    with World("  - {to: email, name: mail, url: env:MAIL, from: plumb@example.test, group: none, recipients: [a@example.test, b@example.test]}\n") as world:
        world.env["MAIL"] = f"smtp://127.0.0.1:{server.port}"
        server.data_answer = "452 4.3.1 no room for it now"
        world.start()
        check(wait_until(lambda: world.listed()["receivers"][0]["since"], 30), "the receiver is not known")
        world.value["a"] = 1
        world.scan()
        check(wait_until(lambda: server.asked["a@example.test"] >= 2, 60), "not tried again", server.asked)
        check("no room" in world.listed("--state", "waiting")["alerts"][0]["said"], world.listed())
        with server.lock:
            server.data_answer = "250 2.0.0 taken"
        check(wait_until(lambda: len(server.taken["a@example.test"]) == len(server.taken["b@example.test"]) == 1, 120), dict(server.taken))
        with server.lock:
            server.data_answer = "554 5.6.0 content refused"
        world.value["a"] = 0
        world.scan()
        check(wait_until(lambda: world.listed("--state", "dead")["alerts"], 60), world.listed())
        check("content refused" in world.listed("--state", "dead")["alerts"][0]["said"], world.listed())
        with server.lock:
            server.data_answer = "250 2.0.0 taken"
        check(world.plumb("notify", "retry", "--dead").returncode == 0, "retry")
        check(wait_until(lambda: [m["X-Plumb-Status"] for m in server.taken["b@example.test"]] == ["new", "resolved"], 60), "a dead letter that was sent again")
        check(len(server.taken["a@example.test"]) == 2 and world.kill(15) == 0, dict(server.taken))
