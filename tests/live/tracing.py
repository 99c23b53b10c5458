"""What caused what, as an OpenTelemetry collector sees it: a request, the scan that it made, the message that told of it."""
import http.server
import json
import threading
import urllib.request

from alerting import Listening
from events import Scheduled, own
from harness import Stack, check, test, wait_until
from service import READ, Collector, messages_of_otlp, must

CODE = 'resource "lab6_thing" "t" {\n  name = "thing-one"\n  text = "x"\n}\nresource "lab6_thing" "u" {\n  name = "thing-two"\n  text = "u"\n}\n'
FIRST, SECOND = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"), ("11111111111111111111111111111111", "2222222222222222")


def attributes(span):
    return {a["key"]: next(iter(a["value"].values())) for a in span["attributes"]}


@test("tofu", "lab6")
def spans_tell_what_caused_what(lab):
    """An event with a traceparent: request, scan and message are one trace; a message about two scans is linked to the second."""
    class Kept(Collector):
        got, busy = [], 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Kept)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hook = Listening()
    stack = Stack(lab, CODE)
    stack.apply()
    service = Scheduled(stack, f"serve: {{telemetry: {{url: 'http://127.0.0.1:{server.server_port}'}}}}\nnotify:\n"
                        "  - {to: webhook, name: alone, url: env:HOOK, format: plumb, allow_private: true, group: none}\n"
                        "  - {to: webhook, name: both, url: env:HOOK, format: plumb, allow_private: true, group: stack, group_wait: 4s}\n")
    service.kill()
    service.env.update(stack.env, HOOK=hook.url)
    service.start()

    def spans(name):
        return [s for path, _, body in list(Kept.got) if path == "/v1/traces" for r in body["resourceSpans"]
                for scope in r["scopeSpans"] for s in scope["spans"] if s["name"] == name]

    def post(about, number, cause):
        request = urllib.request.Request(f"http://127.0.0.1:{service.port}/v1/events", data=own("erin", about, number), method="POST", headers={
            "Authorization": f"Bearer {service.token['events']}", "traceparent": f"00-{cause[0]}-{cause[1]}-01"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            check(answer.status == 202, answer.status)

    def of(name, trace, **want):
        return [s for s in spans(name) if s["traceId"] == trace and all(attributes(s).get(f"plumb.{k}") == v for k, v in want.items())]

    with service:
        service.plumb("scan", "--config", "plumb.yaml", check_exit=False)
        check(wait_until(lambda: len(json.loads(service.plumb("notify", "list", "-o", "json").stdout)["receivers"]) == 2, 30), "receivers")
        check(wait_until(lambda: all(r["since"] for r in json.loads(service.plumb("notify", "list", "-o", "json").stdout)["receivers"]), 30), "receivers")
        for number, (about, cause) in enumerate((("thing-one", FIRST), ("thing-two", SECOND))):
            stack.edit("lab6_thing", about, text="by hand")
            post(about, number, cause)
            check(wait_until(lambda cause=cause: of("send", cause[0], receiver="alone"), 60), "no message of it:", spans("scan"), spans("send"))
        check(wait_until(lambda: of("send", FIRST[0], receiver="both"), 60), "no message of both:", spans("send"))
        for trace, parent in (FIRST, SECOND):
            request, = of("POST /v1/events", trace)
            scans = of("scan", trace)
            sent, = of("send", trace, receiver="alone")
            check(request["parentSpanId"] == parent and request["kind"] == 2, request)
            check(scans[0]["parentSpanId"] == request["spanId"] and attributes(scans[0])["plumb.kind"] == "touched", scans)
            check(sent["parentSpanId"] in [s["spanId"] for s in scans] and sent["kind"] == 3 and "links" not in sent, sent)
        both, = of("send", FIRST[0], receiver="both")
        check(both["parentSpanId"] in [s["spanId"] for s in of("scan", FIRST[0])], both)
        check([(k["traceId"], k["spanId"] in [s["spanId"] for s in of("scan", SECOND[0])]) for k in both["links"]] == [(SECOND[0], True)], both)
        check(not of("send", SECOND[0], receiver="both"), "a message for each")
        planned = [s for s in spans("scan") if s["traceId"] not in (FIRST[0], SECOND[0])]
        check(all("parentSpanId" not in s and "links" not in s for s in planned), "a scan by the clock has a cause:", planned)
        ids = [s["spanId"] for n in ("POST /v1/events", "scan", "send") for s in spans(n)]
        check(len(ids) == len(set(ids)), "one id, two spans")
    python, env = messages_of_otlp()
    must(python, "-c", READ, env=env, input="".join(json.dumps([path, body]) + "\n" for path, _, body in Kept.got))
    server.shutdown()
