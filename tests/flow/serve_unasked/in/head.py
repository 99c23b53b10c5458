"""head.py PORT PATH LENGTH [HEADER...] - the head of a POST without its body: the status that comes, or that the body is wanted."""
import socket
import sys

port, path, length, *headers = sys.argv[1:]
with socket.create_connection(("127.0.0.1", int(port)), 120) as s:
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {length}", "Expect: 100-continue", *headers, "", ""]
    s.sendall("\r\n".join(lines).encode())
    status = s.recv(4096).decode().split("\r\n")[0]
    print("waits for the body" if " 100 " in status else status)
