"""Asking web servers, and Vitrine behind one of them: a Site.

    site.get("/a/photo/w=300/x.webp")                   # an Answer
    site.get("/a/photo/w=300/x.auto", accept="image/webp")
    site.logged(answer)["tier"]                         # its line in Vitrine's log

Paths are sent as they are written.
"""

import http.client
import io
import pathlib
import shutil
import socket
import urllib.parse

from PIL import Image

from apache import Apache, folder_for_web_user, give_to_web_user
from nginx import Nginx
from process import wait_until
from vitrine import Vitrine, copy_programs, parse_logfmt, with_settings, write_configuration


class Answer:
    """status, headers (find them in any case) and body."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.msg
        self.body = response.read()

    def __getitem__(self, name):
        """The value of a header; None when there is none."""
        return self.headers.get(name)

    def values(self, name):
        """Of a header that stands there more than once."""
        return self.headers.get_all(name) or []

    def image(self):
        """The picture, decoded as a whole."""
        image = Image.open(io.BytesIO(self.body))
        image.load()
        return image

    def __repr__(self):
        return f"<Answer {self.status} {dict(self.headers)} {self.body[:200]!r}>"


class Client:
    """Asks one server.  A connection for each request; redirects are not followed."""

    def __init__(self, url, seconds=30):
        parts = urllib.parse.urlsplit(url)
        self.address = (parts.hostname, parts.port)
        self.seconds = seconds

    def request(self, method, path, body=None, **headers):
        """Headers as keyword arguments: if_none_match='"abc"'."""
        connection = http.client.HTTPConnection(*self.address, timeout=self.seconds)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.request("GET", path, **headers)

    def head(self, path, **headers):
        return self.request("HEAD", path, **headers)

    def raw(self, request):
        """Bytes that http.client would refuse to send, as they are."""
        with socket.create_connection(self.address, timeout=self.seconds) as connection:
            connection.sendall(request)
            response = http.client.HTTPResponse(connection)
            response.begin()
            return Answer(response)


class Site(Client):
    """A web server with Vitrine behind it.

    vitrine   the Vitrine that was started for it; None under mod_fcgid, where the
              web server starts it
    front     the Nginx or Apache
    store     [store] root
    """

    def __init__(self, front, store, vitrine=None):
        super().__init__(front.url)
        self.url = front.url
        self.front = front
        self.store = pathlib.Path(store)
        self.vitrine = vitrine

    def log_text(self):
        return self.vitrine.log_text() if self.vitrine else self.front.log_text()

    def logged(self, answer):
        """The log line of this answer: written after it was sent, so wait for it."""
        wanted = f" id={answer['X-Request-Id']} "
        found = []

        def is_there():
            found[:] = [line for line in self.log_text().splitlines() if wanted in line]
            return found

        wait_until(is_there, 5, f"the log had{wanted}")
        return parse_logfmt(found[-1][found[-1].index("time="):])

    def metrics(self):
        """{"name{labels}": value}"""
        lines = self.get("/metrics").body.decode().splitlines()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines
                if line and not line.startswith("#")}

    def stop(self):
        self.front.stop()
        if self.vitrine:
            self.vitrine.stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def nginx_site(folder, sections, send="accel"):
    vitrine = Vitrine(folder / "vitrine", with_settings(sections, {"http": {"send": send}})).start()
    try:
        front = Nginx(folder / "nginx", vitrine.socket, vitrine.store)
        return Site(front.start(), vitrine.store, vitrine)
    except BaseException:
        vitrine.stop()
        raise


class _ApacheSite(Site):
    """Lives in a folder of its own that Apache's user can reach."""

    def __init__(self, folder, *arguments):
        super().__init__(*arguments)
        self._folder = folder

    def stop(self):
        super().stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def apache_proxy_site(sections, send="body"):
    """mod_proxy_fcgi."""
    folder = folder_for_web_user()
    # The folder is private, the socket in it need not be.
    settings = with_settings(sections, {"http": {"send": send}, "server": {"socket_mode": "0666"}})
    vitrine = Vitrine(folder, settings)
    try:
        vitrine.start()
        store = vitrine.store if send == "sendfile" else None
        return _ApacheSite(folder, Apache(folder / "apache", vitrine_socket=vitrine.socket, store=store).start(),
                           vitrine.store, vitrine)
    except BaseException:
        vitrine.stop()
        shutil.rmtree(folder)
        raise


def apache_fcgid_site(sections, send="body"):
    """mod_fcgid: Apache starts vitrine.fcgi itself, as its own user."""
    folder = folder_for_web_user()
    try:
        store = folder / "store"
        store.mkdir()
        give_to_web_user(store)
        config = folder / "vitrine.ini"
        write_configuration(config, with_settings(sections, {"http": {"send": send}, "store": {"root": store}}))
        give_to_web_user(config)
        return _ApacheSite(folder, Apache(folder / "apache", program=copy_programs(folder), config=config,
                                          store=store if send == "sendfile" else None).start(), store)
    except BaseException:
        shutil.rmtree(folder)
        raise
