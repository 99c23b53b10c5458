"""Mail and syslog to real servers: Exim with TLS keeps what it is given, rsyslog parses it; Python's parsers and tidy judge it."""
import email
import email.policy
import html.parser
import os
import re
import subprocess
import tempfile
from pathlib import Path

from harness import PLUMB, ROOT, check, test, wait_until
from receivers import MAIL_PASSWORD, MAIL_USER, Mail, Syslog, program

LOADS = ("src", "background", "poster", "srcset", "data", "action")


class Page(html.parser.HTMLParser):
    """What a page would load, where its links go, what is open at its end."""

    def __init__(self):
        super().__init__()
        self.loads, self.links, self.open = [], [], []

    def handle_starttag(self, tag, attrs):
        self.loads += [f"{tag} {k}" for k, _ in attrs if k in LOADS] + ([tag] if tag in ("link", "script", "img", "iframe", "object") else [])
        self.links += [v for k, v in attrs if k == "href"]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        check(self.open and self.open.pop() == tag, "tags do not match at", tag)


def must_be_mail(message, tidy):
    """No defect anywhere; two parts that say the same; HTML that loads nothing."""
    broken = [(n, v.defects) for n, v in message.items() if getattr(v, "defects", ())] + [p.defects for p in message.walk() if p.defects]
    check(not broken, "defects:", broken)
    for name in ("Date", "From", "To", "Subject", "Message-ID", "References", "In-Reply-To", "List-Id", "Auto-Submitted"):
        check(len(message.get_all(name, [])) == 1, name, message.get_all(name))
    check(message["Auto-Submitted"] == "auto-generated" and message["MIME-Version"] == "1.0", message.items())
    check(message.get_content_type() == "multipart/alternative", message.get_content_type())
    check([p.get_content_type() for p in message.iter_parts()] == ["text/plain", "text/html"], "parts")
    plain, markup = (p.get_content() for p in message.iter_parts())
    page = Page()
    page.feed(markup)
    check(not page.loads and not page.open, "loads", page.loads, "open", page.open)
    check("url(" not in markup and "@import" not in markup, "styles load something")
    check(all(link.startswith(("https://", "http://")) for link in page.links), page.links)
    check("prefers-color-scheme:dark" in markup, "not for the dark")
    done = subprocess.run([tidy, "-eq", "-utf8"], input=markup, capture_output=True, text=True)
    check(done.returncode == 0, "tidy:", done.stderr)
    return plain, markup


@test()
def mails_are_sound(lab):
    """The goldens of the unit tests, by judges that nobody here wrote."""
    tidy = program("tidy", "tidy")
    told = {}
    for path in sorted((ROOT / "tests/data/mail").glob("*.eml")):
        raw = path.read_bytes()
        check(all(len(line) <= 76 for line in raw.split(b"\r\n")) and b"\n" not in raw.replace(b"\r\n", b""), path, "lines")
        told[path.stem] = (email.message_from_bytes(raw, policy=email.policy.default), *must_be_mail(
            email.message_from_bytes(raw, policy=email.policy.default), tidy))
    message, plain, markup = told["many"]
    check(message["Subject"] == 'new, critical: net: 2 findings, größte: lab_net.web["a"]', message["Subject"])
    check(message["To"].addresses[0].display_name == "Netz-Größen" and len(message["To"].addresses) == 2, message["To"])
    check(message["Date"].datetime.isoformat() == "2026-11-22T15:55:57+00:00", message["Date"])
    for words in ('lab_net.web["a"]', "net/main.tf:12", "ann@example.org", "net/public", "Müller & <Söhne>", "192.0.2.7", "plumb adopt"):
        check(words in plain, words, "is not in the text")
        check(words.replace("&", "&#38;").replace("<", "&#60;").replace(">", "&#62;").replace('"', "&#34;") in markup, words, "is not in HTML")
    check(message["References"] == told["resolved"][0]["References"] and message["Message-ID"] != told["resolved"][0]["Message-ID"],
          "a thread is not one")


def told(folder, receiver, env, *words, code=0):
    """plumb.yaml with that one receiver, and `plumb notify test` of it."""
    (folder / "plumb.yaml").write_text(f"version: 1\nstore: sqlite:{folder}/plumb.db\nnotify:\n  - {{name: it, {receiver}}}\n")
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PLUMB_")}
    done = subprocess.run([PLUMB, "notify", "test", "it", *words], cwd=folder, env={**clean, **env}, capture_output=True, text=True)
    check(done.returncode == code, receiver, "exit", done.returncode, done.stdout, done.stderr)
    check(MAIL_PASSWORD not in done.stdout + done.stderr, "the password is told")
    return done.stdout + done.stderr


@test()
def mail_server(lab):
    """Exim takes mails by STARTTLS, by TLS and in clear; what it refuses is said; who it is must be proven."""
    tidy = program("tidy", "tidy")
    with Mail() as mail, tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        start, tls = f"smtp://localhost:{mail.port}", f"smtps://localhost:{mail.tls_port}"
        who = 'to: email, url: env:MAIL, from: "plumb <plumb@example.test>"'
        auth, ca = f"user: {MAIL_USER}, password: env:PASSWORD", f"ca: file:{mail.ca}"

        def send(url, rest, code=0, password=MAIL_PASSWORD):
            return told(folder, f"{who}, {rest}", {"MAIL": url, "PASSWORD": password}, code=code)

        send(start, f'{auth}, {ca}, recipients: ["Team <ops@example.test>", private@example.test]')
        check(wait_until(lambda: len(mail.mails()) == 2, 10), mail.log())
        for message in mail.mails():
            must_be_mail(message, tidy)
            check("test" in message["Subject"] and message["List-Id"] and message["X-Plumb-Status"] == "test", message.items())
        check(sorted(m["Envelope-To"] for m in mail.mails()) == ["ops@example.test", "private@example.test"], "whom it went to")
        check(mail.log().count("X=TLS1.") == 1 and "A=plain:plumb" in mail.log(), mail.log())
        send(tls, f"{auth}, {ca}, recipients: [ops@example.test]")
        send(f"{tls}/my.name.test", f"{ca}, recipients: [ops@example.test]")
        check("H=(my.name.test)" in mail.log() or "my.name.test" in mail.log(), mail.log())
        send(start, "recipients: [ops@example.test]")  # this machine's own: any certificate is better than none
        check(wait_until(lambda: len(mail.mails()) == 5, 10), mail.log())
        for url, rest, words, password in (
                (tls, "recipients: [ops@example.test]", "certificate", ""),  # nobody vouches for it
                (start, f"{auth}, {ca}, recipients: [ops@example.test]", "535", "wrong"),
                (start, f"{ca}, recipients: [nobody@example.test]", "550 no such user", ""),
                (start, f"{ca}, recipients: [later@example.test]", "451 greylisted", ""),
                (start, f"{ca}, recipients: [private@example.test]", "authenticate first", ""),
                ("smtp://localhost:1", "recipients: [ops@example.test]", "localhost:1", "")):
            said = send(url, rest, code=1, password=password or MAIL_PASSWORD)
            check(re.search(words, said), rest, "said", said)
        check(len(mail.mails()) == 5, "a mail that was refused came")
    with Mail(tls="") as mail, tempfile.TemporaryDirectory() as home:  # a server that has no STARTTLS
        url = f"smtp://localhost:{mail.port}"
        who = 'to: email, url: env:MAIL, from: plumb@example.test, recipients: [ops@example.test]'
        said = told(Path(home), f"{who}, ca: file:{mail.ca}", {"MAIL": url}, code=1)
        check("SSL" in said or "TLS" in said, said)
        told(Path(home), who, {"MAIL": url})
        check(wait_until(lambda: len(mail.mails()) == 1, 10), mail.log())


@test()
def syslog_server(lab):
    """rsyslog parses header, structured data and text, by UDP, TCP and TLS."""
    for tls in (False, True):
        with Syslog(tls) as server, tempfile.TemporaryDirectory() as home:
            places = [f"tls:localhost:{server.tcp}"] if tls else [f"tcp:localhost:{server.tcp}", f"127.0.0.1:{server.udp}"]
            for n, place in enumerate(places, 1):
                told(Path(home), f"to: syslog, url: env:LOG, ca: file:{server.ca}", {"LOG": place})
                check(wait_until(lambda n=n: len(server.rows()) == n, 10), place, server.rows(), (server.dir / "out").read_text())
            for row in server.rows():
                check((row["pri"], row["type"], row["app"], row["version"]) == ("30", "test", "plumb", "1"), row)
                check(row["data"].startswith("[plumb@32473 alert=") and 'status="test"' in row["data"], row)
                check(row["text"].startswith("\ufeff"), row)
            if tls:
                said = told(Path(home), "to: syslog, url: env:LOG", {"LOG": places[0]}, code=1)
                check("certificate" in said, said)
