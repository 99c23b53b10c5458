"""head.py PORT PATH LENGTH [HEADER...] - the head of a POST without its body: the status that comes at once, or nothing."""
import socket
import sys

port, path, length, *headers = sys.argv[1:]
with socket.create_connection(("127.0.0.1", int(port)), 10) as s:
    s.settimeout(2)
    s.sendall("\r\n".join([f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {length}", *headers, "", ""]).encode())
    try:
        print(s.recv(4096).decode().split("\r\n")[0])
    except TimeoutError:
        print("waits for the body")
