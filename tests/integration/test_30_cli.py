"""The admin program `vitrine`, with a real database, memcached ring and S3.

Each test has an empty catalog, an empty bucket and a configuration of its own.
"""

import os
import pathlib
import re
import signal
import struct
import subprocess
import time
import zlib

import pytest

from probe import build_folder
from mariadb import NAME, PASSWORD, USER, MariaDB
from memcached import Memcached
from process import free_port, wait_until
from s3 import S3, install_s3

OK, FAILED, USAGE, REFUSED, CONFIGURATION = 0, 1, 64, 65, 78


# ---- servers and files ----------------------------------------------------------------

@pytest.fixture(scope="module")
def database(tmp_path_factory):
    with MariaDB(tmp_path_factory.mktemp("mariadb"), replicas=1) as servers:
        yield servers


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    with Memcached(tmp_path_factory.mktemp("memcached")) as servers:
        yield servers


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    installed = install_s3(build_folder() / "s3")
    with S3(tmp_path_factory.mktemp("s3"), installed) as server:
        yield server


class Admin:
    """The program with a configuration: admin.run("list") and so on."""

    def __init__(self, folder, database, ring, s3):
        self.folder, self.database, self.s3 = folder, database, s3
        self.shelf = folder / "shelf"
        self.shelf.mkdir()
        self.settings = {
            "catalog": {"primary": f"127.0.0.1:{database.primary.port}",
                        "replicas": " ".join(f"127.0.0.1:{server.port}" for server in database.replicas),
                        "database": NAME, "user": USER, "password": PASSWORD, "query_timeout_ms": 5000},
            "peers": {"servers": ring.servers},
            "store": {"root": folder / "store"},
            "origin.media": {"kind": "s3", "endpoint": s3.endpoint, "bucket": "media", "path_style": "yes",
                             "access_key_id": "S3RVER", "secret_access_key": "S3RVER"},
            "origin.shelf": {"kind": "directory", "root": self.shelf},
            "presets": {"card": "w=300,h=200,fit=cover"},
            "keys": {"k1": "0123456789abcdef-one", "k2": "0123456789abcdef-two"},
        }

    @property
    def config(self):
        path = self.folder / "vitrine.ini"
        path.write_text("".join(f"[{section}]\n" + "".join(f"{name} = {value}\n" for name, value in pairs.items())
                                for section, pairs in self.settings.items()))
        return path

    def command(self, *words):
        return [build_folder() / "vitrine", f"--config={self.config}", *map(str, words)]

    def run(self, *words, want=OK, environment=None, seconds=60):
        """Runs it; returns standard output and standard error."""
        done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=seconds, check=False,
                              stdin=subprocess.DEVNULL, env=clean_environment(environment))
        assert done.returncode == want, (done.returncode, done.stdout, done.stderr)
        return done.stdout, done.stderr

    def imported(self, *words, want=OK, **options):
        """Imports; returns the counts of the last line as a dict."""
        output, errors = self.run("import", *words, want=want, **options)
        self.errors = errors
        self.lines = [line.split("\t") for line in output.splitlines()[:-1]]
        return counts_of(output.splitlines()[-1])

    def row(self, asset):
        rows = self.database.primary.sql(
            f"SELECT origin, object_key, bytes, etag, media_type, width, height, visibility, owner, version"
            f" FROM vitrine.asset WHERE id = '{asset}'")
        names = "origin key bytes etag media width height visibility owner version".split()
        return dict(zip(names, rows[0])) if rows else None

    def ids(self):
        self.database.wait_for_replicas()
        return self.run("list")[0].split()


def counts_of(line):
    return {name: int(number) for name, number in re.findall(r"(\w+) (\d+)", line)}


def clean_environment(additions=None):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "VITRINE_"))}
    return {**clean, "HOME": "/nonexistent", **(additions or {})}


@pytest.fixture(scope="module")
def schema(database, ring, s3, tmp_path_factory):
    """The migrated database."""
    output, _ = Admin(tmp_path_factory.mktemp("schema"), database, ring, s3).run("migrate")
    return output


@pytest.fixture
def admin(schema, database, ring, s3, tmp_path):
    database.primary.sql("DELETE FROM vitrine.asset")
    database.wait_for_replicas()
    ring.forget_everything()
    for path in sorted((s3.folder / "buckets" / "media").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    return Admin(tmp_path, database, ring, s3)


def png(width=64, height=48, shade=0):
    """A valid PNG; another shade is another file of the same size."""
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    rows = (b"\0" + bytes([shade & 255, shade >> 8 & 255, 128]) * width) * height
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b""))


@pytest.fixture
def photos(tmp_path):
    """Seven images, one with an unusual name each, and two files of other kinds."""
    folder = tmp_path / "photos"
    (folder / "deep" / "er").mkdir(parents=True)
    for number, name in enumerate(["lion.png", "with space.png", "50%+more.png", "Löwe-漢.png", "deep/tiger.png",
                                   "deep/er/tiger.png", "no-extension"]):
        (folder / name).write_bytes(png(64 + number, 48, number))
    (folder / "notes.txt").write_text("not an image")
    (folder / ".hidden.png").write_bytes(png())
    age(folder)
    return folder


IDS = ["50-more", "L-we", "deep-er-tiger", "deep-tiger", "lion", "no-extension", "with-space"]


def age(folder):
    """As if all files had been written an hour ago."""
    for path in folder.rglob("*"):
        os.utime(path, (time.time() - 3600,) * 2)


def s3_listing(admin):
    """What the bucket's files look like, to see whether any was written again."""
    return {path: path.stat().st_mtime_ns for path in (admin.s3.folder / "buckets" / "media").rglob("*")
            if path.is_file()}


# ---- the command line -----------------------------------------------------------------

@pytest.mark.parametrize("words", [
    [], ["nonsense"], ["--nonsense", "list"], ["list", "--nonsense"], ["list", "--long=yes"], ["list", "surplus"],
    ["purge"], ["sign"], ["sign", "/a/b/w=1/c.jpg", "more"], ["import"], ["import", "/tmp", "--jobs=0"],
    ["import", "/tmp", "--jobs=1e3"], ["import", "/tmp", "--visibility=gone"], ["import", "s3://"],
    ["import", "s3://media", "--prefix=x"], ["help", "nonsense"], ["inspect"], ["set"], ["set", "lion"],
    ["set", "--credit=x"],
])
def test_tells_one_line_about_a_senseless_command_line(admin, words):
    output, errors = admin.run(*words, want=USAGE)
    assert output == ""
    assert re.fullmatch(r"vitrine: [^\n]+ \(see: vitrine help[^\n]*\)\n", errors)


def test_help_needs_no_configuration(tmp_path):
    for words in (["help"], ["--help"], ["--version"], ["help", "import"], ["help", "--markdown"]):
        done = subprocess.run([build_folder() / "vitrine", *words], capture_output=True, text=True, check=False,
                              cwd=tmp_path, env=clean_environment({"VITRINE_CONFIG": "/nonexistent"}))
        assert (done.returncode, done.stderr) == (OK, "")
        assert done.stdout


def test_help_names_every_option(admin):
    manual, _ = admin.run("help", "--markdown")
    for command in ("migrate", "import", "list", "inspect", "set", "sign", "purge", "release", "help"):
        page, _ = admin.run("help", command)
        options = set(re.findall(r"^  --([a-z-]+)", page, re.M))
        section = re.search(rf"^## {command}: .*?(?=^## |\Z)", manual, re.M | re.S)[0]
        assert options == set(re.findall(r"^\| `--([a-z-]+)", section, re.M))
        assert all(len(line) <= 82 for line in page.splitlines())


@pytest.mark.parametrize("section, name, value, word", [
    ("catalog", "nonsense", "1", "nonsense"),
    ("catalog", "query_timeout_ms", "1000000000", "query_timeout_ms"),
    ("catalog", "password", "file:/nonexistent/secret", "/nonexistent/secret"),
])
def test_refuses_a_bad_configuration(admin, section, name, value, word):
    admin.settings[section][name] = value
    output, errors = admin.run("list", want=CONFIGURATION)
    assert output == ""
    assert errors.count("\n") == 1 and word in errors and "vitrine.ini:" in errors


def test_finds_the_configuration_in_the_environment(admin):
    done = subprocess.run([build_folder() / "vitrine", "list"], capture_output=True, text=True, check=False,
                          env=clean_environment({"VITRINE_CONFIG": str(admin.config)}))
    assert (done.returncode, done.stdout, done.stderr) == (OK, "", "")


@pytest.mark.parametrize("words", [["--config=/nonexistent/a.ini", "list"], ["list", "--config=/nonexistent/a.ini"]])
def test_says_which_configuration_is_missing(words):
    done = subprocess.run([build_folder() / "vitrine", *words], capture_output=True, text=True, check=False,
                          env=clean_environment())
    assert done.returncode == CONFIGURATION
    assert done.stderr == "vitrine: cannot open /nonexistent/a.ini: No such file or directory\n"


# ---- migrate --------------------------------------------------------------------------

def test_migrates_once(admin, schema):
    assert re.fullmatch(r"(applied \d{4}-[a-z-]+(\.sql)?\n)+", schema)
    assert admin.run("migrate") == ("nothing to do\n", "")


def test_migrate_says_which_folder_is_missing(admin):
    _, errors = admin.run("migrate", "--sql=/nonexistent", want=FAILED)
    assert "/nonexistent" in errors


# ---- import: into S3 ------------------------------------------------------------------

def test_imports_a_directory_into_s3(admin, photos):
    counts = admin.imported(photos, "--prefix=summer/", "--verbose")
    assert counts == {"imported": 7, "unchanged": 0, "changed": 0, "refused": 0, "skipped": 1}
    assert admin.ids() == sorted(f"summer-{asset}" for asset in IDS)
    assert sorted(line[0] for line in admin.lines) == ["imported"] * 7
    assert {line[1] for line in admin.lines} == set(admin.ids())
    row = admin.row("summer-lion")
    assert row["origin"] == "media" and row["key"] == "summer/lion.png"
    assert (row["media"], row["width"], row["height"]) == ("image/png", "64", "48")
    assert row["bytes"] == str((photos / "lion.png").stat().st_size)
    assert row["visibility"] == "public" and row["etag"] != ""


def test_importing_again_touches_nothing(admin, photos):
    admin.imported(photos)
    rows, objects = [admin.row(asset) for asset in IDS], s3_listing(admin)
    time.sleep(1.1)     # objects count as unchanged when they are a second younger than the file
    assert admin.imported(photos) == {"imported": 0, "unchanged": 7, "changed": 0, "refused": 0, "skipped": 1}
    assert [admin.row(asset) for asset in IDS] == rows
    assert s3_listing(admin) == objects


def test_a_changed_file_of_the_same_size_is_noticed(admin, photos):
    admin.imported(photos)
    before = admin.row("lion")
    (photos / "lion.png").write_bytes(png(64, 48, 4711))
    assert admin.imported(photos) == {"imported": 0, "unchanged": 6, "changed": 1, "refused": 0, "skipped": 1}
    after = admin.row("lion")
    assert after["bytes"] == before["bytes"] and after["etag"] != before["etag"]
    assert int(after["version"]) > int(before["version"])


def test_again_reads_what_looks_unchanged(admin, photos):
    admin.imported(photos)
    (photos / "lion.png").write_bytes(png(64, 48, 4711))
    age(photos)
    assert admin.imported(photos)["changed"] == 0
    assert admin.imported(photos, "--again") == {"imported": 0, "unchanged": 6, "changed": 1, "refused": 0, "skipped": 1}


def test_an_object_that_was_lost_is_uploaded_again(admin, photos):
    admin.imported(photos)
    before = s3_listing(admin)
    lost = next(path for path in before if "lion" in path.name and path.name.endswith("object"))
    lost.unlink()
    assert admin.imported(photos)["unchanged"] == 7
    assert set(s3_listing(admin)) == set(before)


def test_ids_are_the_same_in_every_order(admin, tmp_path):
    folder = tmp_path / "alike"
    folder.mkdir()
    for number, name in enumerate(["a b.png", "a-b.png", "a+b.png", "a_b.png"]):
        (folder / name).write_bytes(png(10 + number, 10))
    first = {}
    for jobs in (1, 4, 4, 4):
        admin.database.primary.sql("DELETE FROM vitrine.asset")
        admin.imported(folder, f"--jobs={jobs}", "--verbose")
        found = {key: asset for _, asset, key in admin.lines}
        first = first or found
        assert found == first
    assert first["a b.png"] == "a-b" and first["a_b.png"] == "a_b"
    assert re.fullmatch(r"a-b-[0-9a-f]{8}", first["a-b.png"]) and first["a-b.png"] != first["a+b.png"]


def test_an_id_that_another_origin_has_is_made_distinct(admin, photos):
    admin.imported(photos)
    (admin.shelf / "lion.png").write_bytes(png(99, 99))
    assert admin.imported(admin.shelf)["imported"] == 1
    assert len(admin.ids()) == 8
    assert admin.row("lion")["origin"] == "media"
    distinct = next(asset for asset in admin.ids() if re.fullmatch(r"lion-[0-9a-f]{8}", asset))
    assert admin.row(distinct)["origin"] == "shelf"
    assert admin.imported(admin.shelf) == {"imported": 0, "unchanged": 1, "changed": 0, "refused": 0}


def test_new_assets_get_visibility_and_owner(admin, photos):
    admin.imported(photos, "--visibility=signed", "--owner=Ünal")
    assert (admin.row("lion")["visibility"], admin.row("lion")["owner"]) == ("signed", "Ünal")
    (photos / "lion.png").write_bytes(png(65, 48))
    admin.imported(photos, "--owner=Other")
    row = admin.row("lion")
    assert (row["visibility"], row["owner"], row["width"]) == ("signed", "Ünal", "65")


def test_a_dry_run_changes_nothing(admin, photos):
    assert admin.imported(photos, "--dry-run", "--verbose")["imported"] == 7
    assert sorted(line[1] for line in admin.lines) == IDS
    assert admin.ids() == [] and s3_listing(admin) == {}


# ---- import: in place -----------------------------------------------------------------

def test_registers_a_folder_of_a_directory_origin_in_place(admin):
    (admin.shelf / "a").mkdir()
    (admin.shelf / "a" / "x.png").write_bytes(png())
    (admin.shelf / "outside.png").write_bytes(png())
    assert admin.imported(admin.shelf / "a") == {"imported": 1, "unchanged": 0, "changed": 0, "refused": 0}
    assert (admin.row("a-x")["origin"], admin.row("a-x")["key"]) == ("shelf", "a/x.png")
    assert admin.imported(admin.shelf / "a")["unchanged"] == 1
    (admin.shelf / "a" / "x.png").write_bytes(png(65))
    assert admin.imported(admin.shelf / "a")["changed"] == 1
    assert s3_listing(admin) == {}


def test_registers_a_bucket_in_place(admin, photos):
    admin.imported(photos, "--prefix=one/")
    admin.database.primary.sql("DELETE FROM vitrine.asset")
    objects = s3_listing(admin)
    assert admin.imported("s3://media/one/deep") == {"imported": 2, "unchanged": 0, "changed": 0, "refused": 0}
    assert admin.imported("s3://media") == {"imported": 5, "unchanged": 2, "changed": 0, "refused": 0}
    assert admin.ids() == sorted(f"one-{asset}" for asset in IDS)
    assert s3_listing(admin) == objects


def test_a_bucket_is_read_through_the_origins_prefix(admin, photos):
    admin.imported(photos, "--prefix=one/")
    admin.database.primary.sql("DELETE FROM vitrine.asset")
    admin.settings["origin.media"]["prefix"] = "one/"
    assert admin.imported("s3://media/one/deep")["imported"] == 2
    assert admin.row("deep-tiger")["key"] == "deep/tiger.png"
    _, errors = admin.run("import", "s3://media/two", want=CONFIGURATION)
    assert "s3://media/two is in no configured origin" in errors


@pytest.mark.parametrize("words, word", [
    (["s3://elsewhere/x"], "s3://elsewhere/x"), (["/tmp", "--origin=elsewhere"], "origin.elsewhere"),
    (["s3://media", "--origin=shelf"], "s3://media"),
])
def test_says_which_origin_is_not_configured(admin, words, word):
    _, errors = admin.run("import", *words, want=CONFIGURATION)
    assert errors.count("\n") == 1 and word in errors


@pytest.mark.parametrize("words, word", [
    (["/nonexistent"], "/nonexistent"), (["/etc/passwd"], "no directory"),
    (["/usr", "--origin=shelf"], "is not inside"),
])
def test_says_what_is_wrong_with_a_directory(admin, words, word):
    _, errors = admin.run("import", *words, want=FAILED)
    assert errors.count("\n") == 1 and word in errors


# ---- import: bad input ----------------------------------------------------------------

BAD_FILES = {
    "text.jpg": b"this is no picture\n" * 100,
    "empty.jpg": b"",
    "cut-in-the-header.png": png()[:20],
    "huge.png": png(8, 8)[:16] + struct.pack(">II", 100000, 100000) + png(8, 8)[24:],
    "bad\nname\x1b[2J.jpg": b"this is no picture either",
}


def test_refuses_what_is_no_image_and_goes_on(admin, photos):
    for name, content in BAD_FILES.items():
        (photos / name).write_bytes(content)
    counts = admin.imported(photos, want=REFUSED)
    assert counts == {"imported": 7, "unchanged": 0, "changed": 0, "refused": len(BAD_FILES), "skipped": 1}
    assert admin.ids() == IDS
    assert not [path for path in s3_listing(admin) if path.name.startswith(tuple(BAD_FILES))]
    lines = [line for line in admin.errors.splitlines() if line.startswith("vitrine: refused ")]
    assert len(lines) == len(BAD_FILES)
    assert any("bad\\x0Aname\\x1B[2J.jpg: " in line for line in lines)
    assert "\x1b" not in admin.errors


@pytest.mark.parametrize("kept", [100000, -20])
def test_refuses_a_picture_that_is_cut_off_after_its_header(admin, photos, kept):
    (photos / "cut.png").write_bytes(png(500, 500)[:kept])
    counts = admin.imported(photos, want=REFUSED)
    assert (counts["imported"], counts["refused"]) == (7, 1)
    assert admin.row("cut") is None
    assert re.search(r"^vitrine: refused cut\.png: damaged image", admin.errors, re.M)


def portrait(admin, asset):
    rows = admin.database.primary.sql(f"SELECT colours, blurhash, thumbhash, placeholder FROM vitrine.asset"
                                      f" WHERE id = '{asset}'")
    return dict(zip("colours blurhash thumbhash placeholder".split(), rows[0]))


def test_import_finds_how_a_picture_looks(admin, photos):
    admin.imported(photos)
    found = portrait(admin, "lion")
    assert found["colours"] == "000080,000080"      # png() is of one colour
    assert found["blurhash"].startswith("L") and len(found["blurhash"]) == 28
    assert re.fullmatch(r"[A-Za-z0-9+/]{20,36}={0,2}", found["thumbhash"])
    assert re.fullmatch(r"data:image/webp;base64,UklGR[A-Za-z0-9+/]+={0,2}", found["placeholder"])
    (photos / "lion.png").write_bytes(png(64, 48, 255))
    admin.imported(photos)
    assert portrait(admin, "lion")["colours"] == "ff0080,ff0080"


def test_rows_from_before_there_were_portraits_are_described_again(admin, photos):
    admin.imported(photos)
    before, row = portrait(admin, "lion"), admin.row("lion")
    admin.database.primary.sql("UPDATE vitrine.asset SET colours = '', blurhash = '', thumbhash = '',"
                               " placeholder = '', credit = 'Ünal' WHERE id = 'lion'")
    age(photos)
    time.sleep(1.1)
    assert admin.imported(photos) == {"imported": 0, "unchanged": 6, "changed": 1, "refused": 0, "skipped": 1}
    assert portrait(admin, "lion") == before
    assert {**admin.row("lion"), "version": 0} == {**row, "version": 0}
    assert admin.database.primary.sql("SELECT credit FROM vitrine.asset WHERE id = 'lion'") == [["Ünal"]]
    assert admin.imported(photos)["changed"] == 0


def test_looks_into_other_extensions_when_asked(admin, photos):
    assert admin.imported(photos, "--all", want=REFUSED)["refused"] == 1


def test_refuses_a_file_over_the_origins_limit(admin, photos):
    (photos / "large.png").write_bytes(png(500, 500))
    admin.settings["origin.media"]["max_bytes"] = "100K"
    assert admin.imported(photos, want=REFUSED)["refused"] == 1
    assert "large.png" in admin.errors


def test_a_wrong_secret_is_one_line_and_never_shown(admin, photos):
    admin.settings["origin.media"]["secret_access_key"] = "wrong-secret"
    counts = admin.imported(photos, want=FAILED)
    assert counts == {"imported": 0, "unchanged": 0, "changed": 0, "refused": 0}
    assert admin.errors.count("\n") == 1 and "wrong-secret" not in admin.errors


@pytest.mark.parametrize("section, name, value", [
    ("origin.media", "bucket", "elsewhere"), ("catalog", "password", "wrong-secret"),
    ("catalog", "primary", "dead"), ("origin.media", "endpoint", "dead"),
])
def test_says_at_once_what_does_not_answer(admin, photos, section, name, value):
    admin.settings["catalog"]["replicas"] = ""
    address = f"127.0.0.1:{free_port()}"
    admin.settings[section][name] = {"primary": address, "endpoint": f"http://{address}"}.get(name, value)
    start = time.monotonic()
    counts = admin.imported(photos, want=FAILED)
    assert sum(counts.values()) == 0
    assert admin.errors.count("\n") == 1 and "wrong-secret" not in admin.errors
    assert time.monotonic() - start < 20


def test_gives_up_when_the_database_dies(admin, tmp_path):
    folder = many_photos(tmp_path)
    admin.settings["catalog"]["query_timeout_ms"] = 500
    process = start_import(admin, folder)
    try:
        admin.database.primary.freeze()
        output, errors = process.communicate(timeout=120)
    finally:
        admin.database.primary.thaw()
    assert process.returncode == FAILED
    assert counts_of(output)["failed"] >= 10
    assert "giving up after 10 failures in a row" in errors
    assert admin.imported(folder)["imported"] > 0
    assert len(admin.ids()) == MANY


# ---- import: interrupted --------------------------------------------------------------

MANY = 300


def many_photos(tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(MANY):
        (folder / f"photo-{number:04}.png").write_bytes(png(32, 32, number))
    age(folder)
    return folder


def start_import(admin, folder, *options):
    """An import that has begun to write rows."""
    process = subprocess.Popen(admin.command("import", folder, "--jobs=2", *options), stdout=subprocess.PIPE, text=True,
                               stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=clean_environment())
    wait_until(lambda: int(admin.database.primary.sql("SELECT COUNT(*) FROM vitrine.asset")[0][0]) >= 5, 20,
               "the import wrote rows")
    return process


def children(pid, name=None):
    """Process ids of its children, by the name of their program, of which the kernel keeps 15 characters."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:
            continue
        command, rest = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:].split()
        if int(rest[1]) == pid and rest[0] != "Z" and name in (None, command):
            found.append(int(path.parent.name))
    return found


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_import_can_be_continued(admin, tmp_path, signal_number):
    folder = many_photos(tmp_path)
    process = start_import(admin, folder)
    processes = children(process.pid)
    process.send_signal(signal_number)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == FAILED
    assert "interrupted" in errors and errors.count("\n") == 1
    assert not [pid for pid in processes if pathlib.Path(f"/proc/{pid}").exists()]
    done = counts_of(output)["imported"]
    assert 5 <= done < MANY and len(admin.ids()) == done
    counts = admin.imported(folder)
    assert (counts["imported"], counts["unchanged"]) == (MANY - done, done)


def test_processes_leave_when_the_importer_is_killed(admin, tmp_path):
    process = start_import(admin, many_photos(tmp_path))
    processes = children(process.pid)
    assert len(processes) >= 3
    process.send_signal(signal.SIGSTOP)     # so that it starts no renderer for the workers, who wait for one
    for pid in children(process.pid, "vitrine-rendere"):
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.5)
    process.kill()
    process.communicate(timeout=30)
    wait_until(lambda: not [pid for pid in processes if pathlib.Path(f"/proc/{pid}").exists()], 10,
               "its processes were gone")


def test_a_killed_renderer_is_replaced(admin, tmp_path):
    folder = many_photos(tmp_path)
    process = start_import(admin, folder)
    killed = 0
    while process.poll() is None and killed < 3:
        for pid in children(process.pid, "vitrine-rendere"):
            os.kill(pid, signal.SIGKILL)
            killed += 1
        time.sleep(0.05)
    output, errors = process.communicate(timeout=60)
    assert killed >= 3
    counts = counts_of(output)
    assert process.returncode == (REFUSED if counts["refused"] else OK), errors
    assert counts["refused"] <= killed and counts["imported"] + counts["refused"] == MANY
    assert admin.imported(folder)["imported"] == counts["refused"]
    assert len(admin.ids()) == MANY


def test_a_killed_worker_loses_at_most_its_object(admin, tmp_path):
    folder = many_photos(tmp_path)
    process = start_import(admin, folder)
    os.kill(children(process.pid, "vitrine")[0], signal.SIGKILL)
    output, errors = process.communicate(timeout=60)
    counts = counts_of(output)
    assert counts["imported"] >= MANY - 1
    assert process.returncode == (OK if counts["imported"] == MANY else FAILED), errors
    assert admin.imported(folder)["unchanged"] >= MANY - 1
    assert len(admin.ids()) == MANY


def test_says_when_the_renderer_cannot_start(admin, photos):
    program = admin.folder / "renderer"
    program.write_text("#!/bin/sh\nsleep 0.3\nexit 1\n")    # long enough for jobs to wait for it
    program.chmod(0o755)
    admin.settings["render"] = {"program": program}
    counts = admin.imported(photos, want=FAILED)
    assert sum(counts.values()) == counts.get("failed", 0) + counts.get("skipped", 0)
    assert "the renderers end as soon as they are started" in admin.errors
    admin.settings["render"] = {"program": "/nonexistent"}
    admin.imported(photos, want=FAILED)
    assert "/nonexistent" in admin.errors


def test_progress_goes_to_a_terminal_as_one_line(admin, tmp_path):
    folder = many_photos(tmp_path)
    terminal, end = os.openpty()
    process = subprocess.Popen(admin.command("import", folder), stdout=subprocess.PIPE, stderr=end, text=True,
                               stdin=subprocess.DEVNULL, env=clean_environment())
    os.close(end)
    shown = b""
    try:
        while received := os.read(terminal, 4096):
            shown += received
    except OSError:     # how a terminal says that nobody writes any more
        pass
    os.close(terminal)
    output, _ = process.communicate(timeout=60)
    assert output == f"imported {MANY}, unchanged 0, changed 0, refused 0\n"
    assert b"\n" not in shown and shown.count(b"\r\x1b[Kimported ") >= 2
    assert shown.endswith(b"\r\x1b[K")


# ---- list, inspect, purge -------------------------------------------------------------

def test_lists_in_columns_and_from_a_place_on(admin, photos):
    admin.imported(photos)
    (admin.shelf / "odd\nname\t\\.png").write_bytes(png(7, 5))
    admin.imported(admin.shelf)
    lines = [line.split("\t") for line in admin.run("list", "--long")[0].splitlines()]
    assert all(len(line) == 8 for line in lines) and len(lines) == 8
    odd = next(line for line in lines if line[6] == "shelf")
    assert odd[2:6] == ["png", "7x5", str(len(png(7, 5))), "public"]
    assert odd[7] == "odd\\x0Aname\\x09\\x5C.png"
    assert admin.run("list", "--origin=shelf")[0].split() == [odd[0]]
    assert admin.run("list", "--after=deep-tiger")[0].split() == admin.ids()[4:]


def test_list_is_quiet_when_its_reader_leaves(admin):
    values = ", ".join(f"('a{number:05}', 'media', '{'k' * 200}{number}', 1, 1, 'image/png', 1, 1, 0, 0)"
                       for number in range(20000))
    admin.database.primary.sql("INSERT INTO vitrine.asset (id, origin, object_key, version, bytes, media_type,"
                               f" width, height, created, updated) VALUES {values}", seconds=30)
    assert len(admin.ids()) == 20000
    process = subprocess.Popen(admin.command("list", "--long"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=clean_environment())
    process.stdout.readline()
    process.stdout.close()
    assert (process.wait(30), process.stderr.read()) == (OK, b"")
    process.stderr.close()


def test_list_says_when_the_disk_is_full(admin, photos):
    admin.imported(photos)
    with open("/dev/full", "w") as full:
        done = subprocess.run(admin.command("list"), stdout=full, stderr=subprocess.PIPE, text=True, check=False,
                              env=clean_environment())
    assert done.returncode == FAILED
    assert done.stderr == "vitrine: cannot write the output: No space left on device\n"


def test_purge_bumps_the_version(admin, photos):
    admin.imported(photos)
    before = int(admin.row("lion")["version"])
    output, _ = admin.run("purge", "lion", "deep-tiger")
    assert [line.split("\t")[0] for line in output.splitlines()] == ["lion", "deep-tiger"]
    after = int(admin.row("lion")["version"])
    assert after > before and output.splitlines()[0] == f"lion\t{after}"


def test_purge_tells_what_does_not_exist_and_goes_on(admin, photos):
    admin.imported(photos)
    output, errors = admin.run("purge", "nobody", "no/id", "lion", want=FAILED)
    assert output.startswith("lion\t") and output.count("\n") == 1
    assert [line.split(": ")[1] for line in errors.splitlines()] == ["nobody", "no/id"]


def test_inspect_tells_where_an_asset_is(admin, photos):
    admin.imported(photos)
    output, errors = admin.run("inspect", "lion")
    assert errors == ""
    assert f"no store at {admin.folder}/store" in output
    assert re.search(r"^asset +lion$", output, re.M)
    assert re.search(r"^picture +image/png, 64 x 48$", output, re.M)
    assert re.search(r"^at origin +there, as in the row$", output, re.M)
    assert re.search(r"^ring +2 of 2 peers answer; servers are told version \d+ by .*$", output, re.M)
    assert re.search(r"^  64x43 +public +no +/a/lion/@card/lion.avif$", output, re.M), output
    assert re.search(r"^  64x48 +public +no +/a/lion/w=160/lion.avif$", output, re.M), output
    assert re.search(r"^  64x48 +signed +no +/a/lion/original/lion.png$", output, re.M), output
    assert not (admin.folder / "store").exists()
    (admin.folder / "store" / "originals").mkdir(parents=True)
    assert f"the original is not in {admin.folder}/store" in admin.run("inspect", "lion")[0]


def test_inspect_tells_how_it_looks_and_what_is_decided(admin, photos):
    admin.imported(photos)
    admin.run("set", "lion", "--credit=© Ünal", "--impose-credit=yes", "--focus=0.5:0.25")
    output, _ = admin.run("inspect", "lion")
    assert re.search(r"^focus +0\.5 : 0\.25$", output, re.M)
    assert re.search(r"^credit +© Ünal\n +drawn on every picture$", output, re.M)
    for name, value in portrait(admin, "lion").items():
        assert re.search(rf"^{name} +{re.escape(value)}$", output, re.M)


def test_inspect_tells_what_is_wrong_with_the_object(admin):
    path = admin.shelf / "lion.png"
    path.write_bytes(png())
    admin.imported(admin.shelf)
    path.write_bytes(png(65))
    assert "import it again" in admin.run("inspect", "lion")[0]
    path.unlink()
    assert re.search(r"^at origin +.*(no such|not|No)", admin.run("inspect", "lion")[0], re.M)
    del admin.settings["origin.shelf"]
    assert "no origin of that name is configured" in admin.run("inspect", "lion")[0]


def test_inspect_of_nobody_fails(admin):
    output, errors = admin.run("inspect", "nobody", want=FAILED)
    assert output == "" and errors.startswith("vitrine: nobody: ")


# ---- set ------------------------------------------------------------------------------

DECIDED = ("visibility", "focus_x", "focus_y", "watermark", "credit", "credit_is_imposed", "owner", "expires")


def decided(admin, asset):
    rows = admin.database.primary.sql(f"SELECT {', '.join(DECIDED)} FROM vitrine.asset WHERE id = '{asset}'")
    return dict(zip(DECIDED, rows[0]))


UNDECIDED = dict(zip(DECIDED, ("public", "NULL", "NULL", "", "", "0", "", "0")))


@pytest.fixture
def lion(admin):
    """One asset, and a watermark to put on it."""
    (admin.shelf / "lion.png").write_bytes(png())
    admin.imported(admin.shelf)
    (admin.folder / "mark.png").write_bytes(png(8, 8))
    admin.settings["watermark.proof_2"] = {"file": admin.folder / "mark.png"}
    assert decided(admin, "lion") == UNDECIDED
    return "lion"


@pytest.mark.parametrize("option, changes", [
    ("--visibility=signed", {"visibility": "signed"}),
    ("--visibility=gone", {"visibility": "gone"}),
    ("--focus=0.123456:1", {"focus_x": "0.123456", "focus_y": "1"}),
    ("--focus=0:0.0", {"focus_x": "0", "focus_y": "0"}),
    ("--watermark=proof_2", {"watermark": "proof_2"}),
    ("--credit=© Ünal, 100 %", {"credit": "© Ünal, 100 %"}),
    ("--credit=" + "é" * 127, {"credit": "é" * 127}),
    ("--impose-credit=yes", {"credit_is_imposed": "1"}),
    ("--owner=O'Neil; DROP TABLE asset", {"owner": "O'Neil; DROP TABLE asset"}),
    ("--expires=1900000000", {"expires": "1900000000"}),
])
def test_set_changes_what_is_given(admin, lion, option, changes):
    before = int(admin.row(lion)["version"])
    output, _ = admin.run("set", option, lion)
    after = int(admin.row(lion)["version"])
    assert after > before and output == f"{lion}\t{after}\n"
    assert decided(admin, lion) == {**UNDECIDED, **changes}


def test_set_takes_back_what_was_given(admin, lion):
    admin.run("set", lion, "--visibility=gone", "--focus=0.5:0.5", "--watermark=proof_2", "--credit=c",
              "--impose-credit=yes", "--owner=o", "--expires=1900000000")
    assert not [name for name, value in decided(admin, lion).items() if value == UNDECIDED[name]]
    admin.run("set", lion, "--visibility=public", "--focus=none", "--watermark=none", "--credit=none",
              "--impose-credit=no", "--owner=none", "--expires=never")
    assert decided(admin, lion) == UNDECIDED


def test_what_was_set_survives_the_next_import(admin, lion):
    admin.run("set", lion, "--focus=0.25:0.75", "--credit=c")
    kept = decided(admin, lion)
    (admin.shelf / "lion.png").write_bytes(png(65, 48))
    assert admin.imported(admin.shelf)["changed"] == 1
    assert decided(admin, lion) == kept


def test_servers_are_told_at_once_what_was_set(admin, lion):
    admin.run("inspect", lion)      # the ring remembers the row
    version = admin.run("set", lion, "--credit=c")[0].split()[1]
    assert f"servers are told version {version} by the ring\n" in admin.run("inspect", lion)[0]


@pytest.mark.parametrize("option", [
    "--visibility=secret", "--visibility=", "--focus=0.5", "--focus=0.5:", "--focus=1.1:0", "--focus=-0.1:0",
    "--focus=0.1234567:0", "--focus=.5:.5:.5", "--focus=1e-1:0", "--focus=nan:0", "--watermark=unknown",
    "--watermark=Proof_2", "--credit=two\nlines", "--credit=" + "é" * 128, "--credit=\udcff", "--impose-credit=1",
    "--impose-credit=", "--owner=\x1b[31m", "--expires=3600", "--expires=-1", "--expires=tomorrow",
    "--expires=1900000000000", "--expires=",
])
def test_set_refuses_what_makes_no_sense(admin, lion, option):
    output, errors = admin.run("set", lion, "--owner=other", option, want=USAGE)
    assert output == "" and errors.count("\n") == 1
    assert option.split("=")[0] in errors
    assert decided(admin, lion) == UNDECIDED


def test_set_tells_what_does_not_exist_and_goes_on(admin, lion):
    output, errors = admin.run("set", "nobody", "no/id", lion, "--owner=o", want=FAILED)
    assert output.startswith("lion\t") and output.count("\n") == 1
    assert [line.split(": ")[1] for line in errors.splitlines()] == ["nobody", "no/id"]
    assert decided(admin, lion)["owner"] == "o"


# ---- sign -----------------------------------------------------------------------------

def test_sign_needs_no_server(admin):
    admin.settings["catalog"]["primary"] = f"127.0.0.1:{free_port()}"
    output, _ = admin.run("sign", "/a/lion/w=1234/lion.webp")
    assert re.fullmatch(r"/s/k1\.\.[A-Za-z0-9_-]{22}/lion/w=1234/lion\.webp\n", output)
    assert admin.run("sign", "/lion/w=1234/lion.webp")[0] == output
    assert admin.run("sign", "/a/lion/w=1234/lion.webp", "--key=k2")[0].startswith("/s/k2..")
    output, _ = admin.run("sign", "/a/lion", "--ops=w+h", "--max=1600", "--formats=jpg", "--url=http://host:1")
    assert re.fullmatch(r"http://host:1/s/k1\.ops=w\+h,max=1600,fmt=jpg\.[A-Za-z0-9_-]{22}/lion\n", output)
    before = int(time.time())
    output, _ = admin.run("sign", "/a/lion/w=1234/lion.webp", "--expires=3600")
    assert before + 3600 <= int(re.search(r"exp=(\d+)", output)[1]) <= time.time() + 3600
    assert "exp=1900000000." in admin.run("sign", "/a/lion/w=1/lion.webp", "--expires=1900000000")[0]


def test_sign_puts_the_url_prefix_first(admin):
    plain, _ = admin.run("sign", "/a/lion/w=1234/lion.webp")
    admin.settings["server"] = {"url_prefix": "/assets"}
    for path in ("/a/lion/w=1234/lion.webp", "/assets/a/lion/w=1234/lion.webp"):
        assert admin.run("sign", path)[0] == "/assets" + plain


@pytest.mark.parametrize("words", [
    ["/a/lion/w=0/x.jpg"], ["/a/lion/nope=1/x.jpg"], ["/a/lion/w=1/x.tiff"], ["/a/lion/w=1"], ["/a/lion"],
    ["/a/lion/w=1/x.jpg/y"], ["/a/li%20on/w=1/x.jpg"], ["/a/lion/w=1/%2e%2e"], ["/a/lion/w=1/x.jpg?y"], ["lion"],
    ["/a/lion/w=1/x.jpg", "--key=k3"], ["/a/lion/w=1/x.jpg", "--max=3"], ["/a/lion/w=1/x.jpg", "--expires=soon"],
    ["/a/lion", "--ops=nope"], ["/a/lion", "--ops=w", "--formats=tiff"], ["/a/lion", "--ops=w", "--max=0"],
])
def test_sign_refuses_what_could_never_be_served(admin, words):
    output, errors = admin.run("sign", *words, want=USAGE)
    assert output == "" and errors.count("\n") == 1


def test_sign_without_keys_is_a_matter_of_configuration(admin):
    del admin.settings["keys"]
    assert "[keys]" in admin.run("sign", "/a/lion/w=1/x.jpg", want=CONFIGURATION)[1]
