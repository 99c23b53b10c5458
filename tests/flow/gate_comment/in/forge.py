"""forge.py LOG: the comments of GitHub and GitLab in memory; each request is a line of LOG. A line `METHOD STATUS MESSAGE` of the
file `say` is the answer of the next such request, with Retry-After: 1; with `done` behind the status it is carried out all the same."""
import http.server
import json
import os
import re
import sys

COMMENTS = {"github": [], "gitlab": []}
LOG = sys.argv[1]


class Forge(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def answer(self, status, value, after=None):
        if self.instead and not after:
            return None
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if after:
            self.send_header("Retry-After", after)
        self.end_headers()
        self.wfile.write(body)

    def handle_any(self):
        size = int(self.headers.get("Content-Length") or 0)
        sent = json.loads(self.rfile.read(size)) if size else None
        github = self.path.startswith("/repos/")
        token = self.headers.get("Authorization", "") if github else self.headers.get("PRIVATE-TOKEN", "")
        with open(LOG, "a", encoding="utf-8") as log:
            first = sent["body"].split("\n")[0] if sent else ""
            log.write(f"{self.command} {self.path} {self.headers.get('Content-Type', '-') if sent else '-'} {first}\n")
        self.instead = None
        if token != ("Bearer t0k-en" if github else "t0k-en"):
            return self.answer(401, {"message": "Bad credentials"})
        lines = open("say", encoding="utf-8").read().splitlines() if os.path.exists("say") else []
        if lines and lines[0].split()[0] == self.command:
            self.instead = lines[0].split(maxsplit=3 if " done " in lines[0] else 2)[1:]
            with open("say", "w", encoding="utf-8") as say:
                say.write("".join(line + "\n" for line in lines[1:]))
            self.answer(int(self.instead[0]), {"message": self.instead[-1]}, "120" if "long" in self.instead[-1] else "1")
            if len(self.instead) == 2:
                return None
        comments = COMMENTS["github" if github else "gitlab"]
        one = re.search(r"/(?:comments|notes)/(\d+)$", self.path)
        if one:
            comment = next(c for c in comments if c["id"] == int(one[1]))
            if comment.get("foreign"):
                return self.answer(403, {"message": "Forbidden"})
            comment["body"] = sent["body"]
            return self.answer(200, comment)
        if self.command == "POST":
            if len(sent["body"]) > 65536:
                return self.answer(422, {"message": "Body is too long"})
            comments.append({"id": len(comments) + 1, "body": sent["body"], "foreign": "foreign" in sent["body"] and "Denied" in sent["body"]})
            return self.answer(201, comments[-1])
        page = int(re.search(r"[?&]page=(\d+)", self.path)[1])
        return self.answer(200, comments[(page - 1) * 100:page * 100])

    do_GET = do_POST = do_PATCH = do_PUT = handle_any


for i in range(150):
    COMMENTS["github"].append({"id": i + 1, "body": f"talk {i}"})
server = http.server.HTTPServer(("127.0.0.1", 0), Forge)
with open("port", "w", encoding="utf-8") as port:
    port.write(f"{server.server_port}\n")
server.serve_forever()
