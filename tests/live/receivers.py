"""Real receivers of alerts as plain processes: Exim (mail, TLS), rsyslog, Alertmanager; nothing of theirs runs as a service."""
import contextlib
import email
import email.policy
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import urllib.request
from pathlib import Path

from harness import CI, Skip, check, wait_until

MAIL_USER, MAIL_PASSWORD = "plumb", "s3cret-of-the-mail-server"


def program(name, package):
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if not found:
        check(not CI, f"no {name}: apt-get install {package}")
        raise Skip(f"no {name}: apt-get install {package}")
    return found


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def certificate(folder):
    """A certificate of its own authority for localhost: paths of it and of its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key,
                    "-out", cert, "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                   check=True, capture_output=True)
    return cert, key


class Receiver:
    """A process in a folder of its own under an account that may do nothing else."""

    def __init__(self, account=None):
        self.dir = Path(tempfile.mkdtemp(prefix="plumb-receiver-"))
        self.dir.chmod(0o755)
        self.process = None
        self.account = pwd.getpwuid(os.geteuid()) if os.geteuid() or not account else pwd.getpwnam(account)

    def own(self, *paths):
        for path in paths:
            os.chown(path, self.account.pw_uid, self.account.pw_gid)

    def launch(self, words, port, **options):
        with open(self.dir / "out", "ab") as out:
            self.process = subprocess.Popen([str(w) for w in words], cwd=self.dir, stdin=subprocess.DEVNULL, stdout=out, stderr=out, **options)
        if not wait_until(lambda: answers(port) or self.process.poll() is not None, 15) or self.process.poll() is not None:
            raise AssertionError(f"{words[0]} does not listen: " + (self.dir / "out").read_text()[-800:])

    def halt(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()

    def stop(self):
        self.halt()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


EXIM = """
exim_user = {user}
exim_group = {group}
deliver_drop_privilege = true
spool_directory = {dir}/spool
log_file_path = {dir}/log/%slog
pid_file_path = {dir}/spool/pid
primary_hostname = mail.test
local_interfaces = <; 127.0.0.1.{port} ; 127.0.0.1.{tls_port}
daemon_smtp_ports = {port}
tls_on_connect_ports = {tls_port}
tls_advertise_hosts = {tls}
tls_certificate = {dir}/cert.pem
tls_privatekey = {dir}/key.pem
host_lookup =
rfc1413_query_timeout = 0s
keep_environment =
acl_smtp_rcpt = rcpt
acl_smtp_data = data
begin acl
rcpt:
  deny message = no such user here
       local_parts = nobody
  defer message = greylisted, come again
       local_parts = later
       !condition = ${{if exists{{{dir}/open}}}}
  deny message = authenticate first
       local_parts = private
       !authenticated = *
  accept domains = example.test
  deny message = relay not permitted
data:
  deny condition = ${{if match{{$rh_subject:}}{{refuse}}}}
       message = content refused
  accept
begin routers
local:
  driver = accept
  transport = maildir
begin transports
maildir:
  driver = appendfile
  maildir_format
  directory = {dir}/mail
  envelope_to_add
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{mail_user}}}}}{{eq{{$auth3}}{{{mail_password}}}}}}}}}
  server_set_id = $auth2
  server_advertise_condition = ${{if def:tls_in_cipher}}
"""


class Mail(Receiver):
    """Exim: STARTTLS and TLS from the start, AUTH; nobody@ is refused, later@ deferred until greylisting is opened."""

    def __init__(self, tls="*"):
        super().__init__("mail")
        exim = program("exim4", "exim4-daemon-light")
        self.port, self.tls_port = free_port(), free_port()
        self.ca, key = certificate(self.dir)
        folders = [self.dir / n for n in ("spool", "log", "mail")]
        for folder in folders:
            folder.mkdir()
        self.own(*folders, key)
        (self.dir / "exim.conf").write_text(EXIM.format(
            user=self.account.pw_name, group=self.account.pw_gid, dir=self.dir, port=self.port, tls_port=self.tls_port, tls=tls,
            mail_user=MAIL_USER, mail_password=MAIL_PASSWORD))
        self.exim = exim
        self.start()

    def start(self):
        self.launch([self.exim, "-C", self.dir / "exim.conf", "-bdf", "-q1m"], self.port)

    def mails(self):
        """Every mail that was delivered, in the order in which it was taken, as Python's parser sees it."""
        files = (self.dir / "mail" / "new").glob("*") if (self.dir / "mail" / "new").exists() else []
        found = [email.message_from_bytes(f.read_bytes(), policy=email.policy.default) for f in files]
        log = self.log()
        return sorted(found, key=lambda m: log.find(f"id={m['Message-ID'].strip('<>')}"))

    def log(self):
        return (self.dir / "log" / "mainlog").read_text() if (self.dir / "log" / "mainlog").exists() else ""


RSYSLOG = """
global(workDirectory="{dir}" net.enableDNS="off" {tls})
module(load="imudp")
module(load="imtcp" {stream})
input(type="imudp" address="127.0.0.1" port="{udp}")
input(type="imtcp" address="127.0.0.1" port="{tcp}")
template(name="row" type="list" option.jsonf="on") {{
  property(outname="pri" name="pri" format="jsonf")
  property(outname="type" name="msgid" format="jsonf")
  property(outname="app" name="app-name" format="jsonf")
  property(outname="at" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="version" name="protocol-version" format="jsonf")
  property(outname="data" name="structured-data" format="jsonf")
  property(outname="text" name="msg" format="jsonf")
}}
action(type="omfile" file="{dir}/rows" template="row")
"""


class Syslog(Receiver):
    """rsyslog, which parses what it gets; each message as a dict. tls: its TCP port speaks TLS (RFC 5425)."""

    def __init__(self, tls=False):
        super().__init__()
        rsyslogd = program("rsyslogd", "rsyslog")
        self.tcp, self.udp = free_port(), free_port(socket.SOCK_DGRAM)
        self.ca, key = certificate(self.dir)
        (self.dir / "rsyslog.conf").write_text(RSYSLOG.format(
            dir=self.dir, tcp=self.tcp, udp=self.udp,
            tls=f'DefaultNetstreamDriverCAFile="{self.ca}" DefaultNetstreamDriverCertFile="{self.ca}" DefaultNetstreamDriverKeyFile="{key}"' if tls else "",
            stream='StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="anon"' if tls else ""))
        self.launch([rsyslogd, "-n", "-f", self.dir / "rsyslog.conf", "-i", self.dir / "pid"], self.tcp)

    def rows(self):
        path = self.dir / "rows"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


class Alertmanager(Receiver):
    """Debian's Alertmanager: what it holds, and what it tells a webhook of its own."""

    def __init__(self, webhook=None):
        super().__init__()
        self.program = program("prometheus-alertmanager", "prometheus-alertmanager")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        hook = f"\n  webhook_configs: [{{url: '{webhook}', send_resolved: true}}]" if webhook else ""
        (self.dir / "am.yml").write_text("route: {receiver: all, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 4h}\n"
                                         f"receivers:\n- name: all{hook}\n")
        self.start()

    def start(self):
        self.launch([self.program, f"--config.file={self.dir}/am.yml", f"--storage.path={self.dir}/data", "--cluster.listen-address=",
                     f"--web.listen-address=127.0.0.1:{self.port}"], self.port)

    def alerts(self):
        """What is open: Alertmanager leaves out what was resolved."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=120) as answer:
            return json.load(answer)
