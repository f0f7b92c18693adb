#!/usr/bin/python3
"""Addresses and signatures of many requests to S3, as botocore makes them.

Debian's python3-botocore is the oracle for lib/origin/s3_request.c and sigv4.c.
Without arguments it writes tests/unit/sigv4_table.h; with --check it fails when
that file is not what it would write.
"""

import calendar
import hashlib
import sys
import time
from pathlib import Path
from urllib.parse import urlencode, quote

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.utils import percent_encode

TABLE = Path(__file__).with_name("sigv4_table.h")
TOKEN = "FwoGZXIvYXdzEJr//////////wEaD/+token+with/slashes=="
MOMENT = "20240229T235959Z"

KEYS = ["plain.jpg", "a b.jpg", "a+b.jpg", "100%.jpg", "%41.jpg", "%2F", "é.jpg", "漢字/😀.jpg", "a/../b", "../x",
        "./x", "a//b", "//", "/leading", "trailing/", "~tilde~", "it's", '"quoted"', "(a)!*", "a&b=c?d#e",
        "semi;colon:comma,at@", "back\\slash", "[b]{c}|d^e`f<g>", "\x01\t\n\x7f", "$", "-._~", "é" * 60,
        "0", " ", "a/b/c/d/e/f"]
ENDPOINTS = [("https://s3.eu-central-1.amazonaws.com", "eu-central-1", False),
             ("http://127.0.0.1:4568", "us-east-1", True),
             ("https://minio.example.org:443", "us-east-1", True)]
LISTINGS = [(None, ""), (None, "a b/+é%"), ("1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=", "tenant/x")]


def sign(method, url, params, region, token, payload_hash):
    """What botocore would send as Authorization."""
    request = AWSRequest(method, url, params=params,
                         headers={"X-Amz-Content-SHA256": payload_hash})
    request.context.update(timestamp=MOMENT, client_config=None, has_streaming_input=False)
    signer = S3SigV4Auth(Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token),
                         "s3", region)
    signer.payload = lambda _: payload_hash
    signer._modify_request_before_signing(request)
    canonical = signer.canonical_request(request)
    return signer.signature(signer.string_to_sign(request, canonical), request)


def c_string(text):
    """As a C literal; every odd byte in octal, which cannot swallow what follows."""
    if text is None:
        return "NULL"
    return '"' + "".join(chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}"
                         for byte in text.encode()) + '"'


def address(endpoint, is_path_style, key):
    """The URL; the port of the scheme is not part of it."""
    scheme, host = endpoint.split("://")
    host = host.removesuffix(":443")
    path = percent_encode(key, safe="/~")
    if is_path_style:
        return f"{scheme}://{host}/photos" + (f"/{path}" if key else "")
    return f"{scheme}://photos.{host}/{path}"


def cases():
    """Rows of struct sigv4_case."""
    for endpoint, region, is_path_style in ENDPOINTS:
        for number, key in enumerate(KEYS):
            method, token = (("GET", None), ("PUT", TOKEN))[number % 2]
            payload_hash = hashlib.sha256(b"" if method == "GET" else key.encode()).hexdigest()
            url = address(endpoint, is_path_style, key)
            yield (endpoint, region, is_path_style, method, key, None, None, token, payload_hash, url,
                   sign(method, url, {}, region, token, payload_hash))
        for continuation, prefix in LISTINGS:
            params = {"continuation-token": continuation} if continuation else {}
            params.update({"encoding-type": "url", "list-type": "2", "max-keys": "1000", "prefix": prefix})
            payload_hash = hashlib.sha256(b"").hexdigest()
            url = address(endpoint, is_path_style, "")
            yield (endpoint, region, is_path_style, "GET", "", continuation, prefix, None, payload_hash,
                   f"{url}?{urlencode(params, quote_via=lambda text, *_: quote(text, safe='-._~'))}",
                   sign("GET", url, params, region, None, payload_hash))


def table():
    """The text of the header."""
    lines = ["/* Written by tests/unit/model_sigv4.py: change the model, not this file. */",
             f"enum {{ SIGV4_TABLE_TIME = {calendar.timegm(time.strptime(MOMENT, '%Y%m%dT%H%M%SZ'))} }};",
             "static const struct sigv4_case sigv4_table[] = {"]
    for endpoint, region, is_path_style, *texts in cases():
        words = [c_string(endpoint), c_string(region), "true" if is_path_style else "false",
                 *map(c_string, texts)]
        lines.append("\t{ " + ",\n\t    ".join(words) + " },")
    return "\n".join(lines) + "\n};\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(TABLE.read_text() != table() and f"{TABLE} is not what the model says")
    TABLE.write_text(table())
