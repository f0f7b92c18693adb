"""A private S3 in one folder, and one that misbehaves on purpose.

    with S3(folder, installed) as s3:                   # s3rver: real buckets
        s3.endpoint                                     # "http://127.0.0.1:40005"
    with FaultyS3(folder, installed) as faulty:         # s3/faulty.js
        faulty.set_mode("slowdown-1000"); faulty.seen()

`installed` is the folder that install_s3() made.  Key id and secret are S3RVER;
the buckets of an S3 are plain folders below folder/buckets.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import urllib.request

from process import Process, StackError

KEY = "S3RVER"
_HERE = pathlib.Path(__file__).resolve().parent


def install_s3(target):
    """Installs the npm part into the folder, unless it is there.  Returns the folder."""
    target = pathlib.Path(target).absolute()
    done = subprocess.run([_HERE / "install-s3.sh", target], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    if done.returncode != 0:
        raise StackError(f"cannot install the local S3:\n{done.stdout}")
    return target


class _NodeServer:
    """One of the servers in tests/stack/s3: stop, kill, freeze it and start it again
    on the same port."""

    def __init__(self, name, script, folder, installed, arguments, port=None, outlives_starter=False):
        self.folder = pathlib.Path(folder).absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = port
        self._script = [pathlib.Path(installed).absolute() / script, *arguments]
        # It has no children, so SIGKILL is safe, and works while it is frozen.
        self.process = Process(name, [], self.folder, death_signal=signal.SIGKILL,
                               outlives_starter=outlives_starter)

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        """Starts it and waits until it accepts connections.  Returns self."""
        node = shutil.which(os.environ.get("VITRINE_NODE", "node"))
        if node is None:
            raise StackError("node is not installed (Debian: nodejs)")
        ready = self.folder / f"{self.process.name}.port"
        ready.unlink(missing_ok=True)
        self.process.command = [str(argument) for argument in [
            node, *self._script, "--port", self.port or 0, "--ready-file", ready, "--outlive-starter"]]
        self.process.start(ready.exists, seconds=20)
        self.port = int(ready.read_text())
        return self

    def stop(self):
        self.process.stop()

    def kill(self):
        self.process.kill()

    def freeze(self):
        self.process.freeze()

    def thaw(self):
        self.process.thaw()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class S3(_NodeServer):
    """s3rver: verifies signatures, keeps objects in folder/buckets."""

    def __init__(self, folder, installed, buckets=("media",), port=None, name="s3", outlives_starter=False):
        arguments = ["--directory", pathlib.Path(folder).absolute() / "buckets"]
        for bucket in buckets:
            arguments += ["--bucket", bucket]
        super().__init__(name, "server.js", folder, installed, arguments, port, outlives_starter)


class FaultyS3(_NodeServer):
    """s3/faulty.js; with `upstream`, the port of an S3, it stands before that one."""

    def __init__(self, folder, installed, upstream=None, page_size=1000, token=None, port=None,
                 name="faulty-s3"):
        arguments = ["--page-size", page_size]
        arguments += ["--upstream", upstream] if upstream else []
        arguments += ["--token", token] if token else []
        super().__init__(name, "faulty.js", folder, installed, arguments, port)

    def _control(self, path):
        with urllib.request.urlopen(f"{self.endpoint}/-/{path}", timeout=5) as answer:
            return json.load(answer)

    def set_mode(self, mode):
        """For all requests from now on; "none" ends it."""
        self._control(f"mode?{mode}")

    def seen(self):
        """The requests so far: dicts with method, url, region, connection, wrong."""
        return self._control("seen")["seen"]
