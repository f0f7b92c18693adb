"""A DNS server for a few names, on port 53 of an address of this machine (which takes root).

    with NameServer("127.0.53.53", {"db.test": ["127.0.0.1"]}) as dns:
        dns.resolv_conf(folder)             # a file to be used as /etc/resolv.conf
        dns.addresses["db.test"] = ["127.0.0.2"]
        dns.is_silent = True

Answers A questions; other types have no records, other names do not exist.
"""

import pathlib
import socket
import struct
import threading

_A, _NXDOMAIN = 1, 3


class NameServer:
    def __init__(self, address, addresses):
        self.address = address
        self.addresses = addresses
        self.is_silent = False
        self.questions = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 53))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def resolv_conf(self, folder):
        path = pathlib.Path(folder) / "resolv.conf"
        path.write_text(f"nameserver {self.address}\n")
        return path

    def _serve(self):
        while True:
            question, client = self._socket.recvfrom(512)
            if not question:
                return
            self.questions += 1
            if not self.is_silent:
                self._socket.sendto(self._answer(question), client)

    def _answer(self, question):
        """RFC 1035, section 4.1."""
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        [kind] = struct.unpack_from("!H", question, at + 1)
        asked, found = question[12:at + 5], self.addresses.get(".".join(labels))
        records = found if found and kind == _A else []
        code = _NXDOMAIN if found is None else 0
        header = question[:2] + struct.pack("!5H", 0x8180 | code, 1, len(records), 0, 0)
        return header + asked + b"".join(
            struct.pack("!3HLH4s", 0xc00c, _A, 1, 0, 4, socket.inet_aton(record)) for record in records)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._socket.sendto(b"", (self.address, 53))
        self._thread.join()
        self._socket.close()
