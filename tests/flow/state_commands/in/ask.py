"""ask.py PORT METHOD PATH [BODY] - the status of the answer, and its body where it is short."""
import sys
import urllib.error
import urllib.request

port, method, path = sys.argv[1:4]
body = sys.argv[4].encode() if len(sys.argv) > 4 else None
try:
    with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body, method=method)) as answer:
        print(answer.status, answer.read().decode()[:60])
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode()[:60])
