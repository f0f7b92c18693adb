"""What .auto makes of a client's fields: format, Save-Data, client hints; and what Vary says of it."""

import pytest
from PIL import Image

import pictures
import web
from vitrine import with_settings

MODERN = "image/avif,image/webp,image/*,*/*;q=0.8"
WEBP, ANYTHING = "image/webp,*/*", "*/*"
HINTS = "Accept,Save-Data,Sec-CH-{0},{0}"
LADDER = "160 320 640"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("negotiation")


@pytest.fixture(scope="module")
def imported(services, assets, folder):
    originals = folder / "originals"
    originals.mkdir()
    pages = [pictures.quadrants(64, 48) for _ in range(3)]
    pages[0].save(originals / "pages.tiff", save_all=True, append_images=pages[1:])
    frames = [Image.new("RGB", (64, 48), colour) for colour in (pictures.RED, pictures.GREEN)]
    frames[0].save(originals / "moving.webp", save_all=True, append_images=frames[1:], duration=50, lossless=True)
    services.admin.run("import", originals)
    services.database.wait_for_replicas()


def started(services, folder, name, **changes):
    return web.nginx_site(folder / name, with_settings(services.sections, changes))


@pytest.fixture(scope="module")
def site(services, imported, folder):
    with started(services, folder, "any", http={"auto_formats": "avif webp"}, render={"ahead": "0"}) as site:
        yield site


@pytest.fixture(scope="module")
def hinted(services, imported, folder):
    with started(services, folder, "hinted", http={"client_hints": "yes"},
                 policy={"unsigned": "any", "ladder": LADDER}) as site:
        yield site


@pytest.fixture(scope="module")
def ladder(services, imported, folder):
    """Strangers may ask for the rungs only."""
    with started(services, folder, "ladder", http={"client_hints": "yes"},
                 policy={"unsigned": "ladder", "ladder": LADDER}) as site:
        yield site


# ---- the format ---------------------------------------------------------------------------

@pytest.mark.parametrize("asset, recipe, accept, want", [
    ("photo", "w=60", MODERN, "avif"), ("photo", "w=60", WEBP, "webp"), ("photo", "w=60", ANYTHING, "jpeg"),
    # Transparent: the asset, or what the recipe makes of it.
    ("badge", "w=60", ANYTHING, "png"), ("badge", "w=60,bg=fff", ANYTHING, "jpeg"),
    ("badge", "w=60,bg=ffffff80", ANYTHING, "png"),
    ("photo", "w=60,round=10", ANYTHING, "png"), ("photo", "w=60,round=max", ANYTHING, "png"),
    ("photo", "w=60,round=10,bg=fff", ANYTHING, "jpeg"), ("photo", "w=60,round=10", WEBP, "webp"),
    ("photo", "w=60,rot=90", ANYTHING, "jpeg"), ("photo", "w=60,rot=45", ANYTHING, "png"),
    ("photo", "w=60,rot=45,bg=000", ANYTHING, "jpeg"),
    ("photo", "w=60,border=2:ff000080", ANYTHING, "png"), ("photo", "w=60,border=2:f00", ANYTHING, "jpeg"),
    ("photo", "w=60,h=60,fit=pad", ANYTHING, "jpeg"), ("photo", "w=60,h=60,fit=pad,bg=transparent", ANYTHING, "png"),
    # Formats that cannot do what is asked are passed over.
    ("photo", "w=60,lossless=1", ANYTHING, "png"), ("photo", "w=60,lossless=1", WEBP, "webp"),
    ("photo", "w=60,max-bytes=5000", ANYTHING, "jpeg"), ("badge", "w=60,max-bytes=5000", WEBP, "webp"),
    # An animation stays one.
    ("frames", "w=60", MODERN, "webp"), ("frames", "w=60", "image/avif,*/*", "gif"),
    ("frames", "w=60", ANYTHING, "gif"), ("moving", "w=60", ANYTHING, "gif"), ("moving", "w=60", WEBP, "webp"),
    ("frames", "w=60,anim=off", MODERN, "avif"), ("frames", "w=60,page=2", "image/avif", "avif"),
    ("frames", "w=60,anim=off", ANYTHING, "jpeg"),
    # Pages are no frames.
    ("pages", "w=60", ANYTHING, "jpeg"), ("pages", "w=60", MODERN, "avif"),
])
def test_auto_chooses_what_can_show_it(site, asset, recipe, accept, want):
    """By the row alone, so HEAD tells."""
    answer = site.head(f"/a/{asset}/{recipe}/x.auto", accept=accept)

    assert answer.status == 200
    assert answer["Content-Type"] == f"image/{want}"
    assert answer["Vary"].startswith("Accept")


@pytest.mark.parametrize("accept, want", [
    (None, "jpeg"), ("", "jpeg"), ("image/*", "jpeg"), ("text/html", "jpeg"), ("image/jpeg;q=0,image/png", "jpeg"),
    # The most weight, then our order; and never less than the plain one.
    ("image/webp,image/avif", "avif"), ("image/avif;q=0.5,image/webp", "webp"), ("image/avif;q=0,image/webp", "webp"),
    ("image/webp;q=0.5,*/*", "jpeg"), ("image/webp;q=0.5,image/*;q=0.5", "webp"), ("image/webp;q=0.001", "webp"),
    ("image/webp;q=0,*/*", "jpeg"), ("image/webp;q=0.9,image/jpeg;q=0.8", "webp"),
    ("IMAGE/WEBP ; Q=1.000", "webp"), ("image/webp;q=1.5,*/*", "jpeg"), ("image/webp;q=,*/*", "jpeg"),
    # Nobody is believed to show what a wildcard says.
    ("image/*,*/*", "jpeg"), ("*/*;q=0", "jpeg"),
])
def test_weights_decide(site, accept, want):
    answer = site.head("/a/photo/w=60/x.auto", **({} if accept is None else {"accept": accept}))

    assert answer["Content-Type"] == f"image/{want}"


@pytest.mark.parametrize("accept, frames", [(WEBP, 3), (ANYTHING, 3), ("image/avif", 3)])
def test_an_animation_is_never_one_frame_in_silence(site, accept, frames):
    assert site.get("/a/frames/w=32/x.auto", accept=accept).image().n_frames == frames


def test_what_nothing_can_do_is_refused(site):
    answer = site.get("/a/badge/w=60,max-bytes=5000/x.auto", accept=ANYTHING)

    assert answer.status == 400
    assert b"max-bytes" in answer.body
    assert answer["Vary"] == "Accept"


@pytest.mark.parametrize("recipe, extension", [
    ("lossless=1", "jpg"), ("lossless=1", "gif"), ("max-bytes=5000", "gif"), ("max-bytes=5000", "png"),
    ("icc=p3", "gif")])
def test_a_format_that_cannot_do_it_is_refused_before_anything_is_asked(site, recipe, extension):
    """Whatever the asset is, even if there is none."""
    for asset in ("photo", "nobody"):
        answer = site.get(f"/a/{asset}/w=60,{recipe}/x.{extension}")
        assert answer.status == 400
        assert recipe.split("=")[0].encode() in answer.body
        assert answer["Vary"] is None


def test_a_token_narrows_the_choice(site, services):
    def signed(formats):
        token = services.admin.run("sign", "/a/photo/w=1/x.webp", "--ops=w", f"--formats={formats}").strip()
        return f"/s/{token.split('/')[2]}/photo/w=60/x.auto"

    assert site.head(signed("jpg+avif"), accept=MODERN)["Content-Type"] == "image/avif"
    assert site.head(signed("jpg"), accept=MODERN)["Content-Type"] == "image/jpeg"
    # A plain format that may not be had weighs nothing, and the other one takes its place.
    assert site.head(signed("webp"), accept="image/jpeg,image/webp;q=0.2")["Content-Type"] == "image/webp"
    assert site.head(signed("png"), accept=MODERN)["Content-Type"] == "image/png"
    assert site.head(signed("png+webp"), accept=MODERN)["Content-Type"] == "image/webp"
    answer = site.head(signed("webp"), accept=ANYTHING)
    assert answer.status == 403 and answer["Vary"] == "Accept"


# ---- Save-Data ------------------------------------------------------------------------------

def test_who_saves_data_gets_less(site):
    full = site.get("/a/photo/w=600/x.auto", accept=WEBP)
    less = site.get("/a/photo/w=600/x.auto", accept=WEBP, save_data="on")

    assert len(less.body) < 0.8 * len(full.body)
    assert less.image().size == full.image().size
    assert full["Vary"] == less["Vary"] == "Accept,Save-Data"
    assert less["ETag"] != full["ETag"]
    assert site.logged(less)["recipe"].endswith("q=low")
    again = site.get("/a/photo/w=600/x.auto", accept=WEBP, save_data="on", if_none_match=less["ETag"])
    assert again.status == 304 and again["Vary"] == "Accept,Save-Data"


@pytest.mark.parametrize("path, vary", [
    ("w=60,q=50/x.auto", "Accept"), ("w=60,q=auto/x.auto", "Accept"), ("w=60,lossless=1/x.auto", "Accept"),
    ("w=60/x.webp", None), ("original/x.auto", None)])
def test_what_the_url_says_is_not_lowered(site, path, vary):
    plain, saving = (site.head(f"/a/photo/{path}", accept=WEBP, **fields) for fields in ({}, {"save_data": "on"}))

    assert plain["ETag"] == saving["ETag"]
    assert plain["Vary"] == saving["Vary"] == vary


def test_png_has_nothing_to_lower(site):
    answers = [site.head("/a/badge/w=60/x.auto", **fields) for fields in ({}, {"save_data": "on"})]

    assert answers[0]["ETag"] == answers[1]["ETag"]
    assert answers[0]["Vary"] == answers[1]["Vary"] == "Accept,Save-Data"


def test_save_data_can_be_ignored(new_site, assets):
    site = new_site(http={"save_data": "no"})
    plain, saving = (site.head("/a/photo/w=60/x.auto", **fields) for fields in ({}, {"save_data": "on"}))

    assert plain["ETag"] == saving["ETag"]
    assert saving["Vary"] == "Accept"
    assert saving["Accept-CH"] is None


# ---- client hints ----------------------------------------------------------------------------

def asked(site, path, **fields):
    """The canonical recipe that the log tells."""
    answer = site.head(path, **fields)
    assert answer.status == 200, answer
    return site.logged(answer)["recipe"]


@pytest.mark.parametrize("name", ["width", "sec_ch_width"])
@pytest.mark.parametrize("width, want", [("1", 160), ("160", 160), ("161", 320), ("640", 640), ("641", 640)])
def test_width_becomes_the_next_rung(hinted, name, width, want):
    assert asked(hinted, "/a/photo/-/x.auto", **{name: width}) == f"w={want},g=c"


@pytest.mark.parametrize("dpr, want", [("1", None), ("0.5", None), ("1.5", 2), ("2", 2), ("2.01", 3), ("4", 3)])
def test_dpr_is_rounded_up(hinted, dpr, want):
    wanted = "w=100,g=c" if want is None else f"w=100,dpr={want},g=c"
    assert asked(hinted, "/a/photo/w=100/x.auto", dpr=dpr) == wanted
    assert asked(hinted, "/a/photo/w=100/x.auto", sec_ch_dpr=dpr) == wanted


@pytest.mark.parametrize("recipe, want", [
    ("-", "w=320,g=c"),                             # Width counts pixels of the screen: dpr is in it
    ("q=50", "w=320,g=c,q=50"), ("w=100", "w=100,dpr=2,g=c"), ("h=100", "h=100,dpr=2,g=c"),
    ("w=0.5", "w=0.5,dpr=2,g=c"), ("w=100,dpr=3", "w=100,dpr=3,g=c"), ("w=100,dpr=1", "w=100,g=c"),
    ("dpr=3", "dpr=3,g=c"), ("@card", "w=400,h=300,dpr=2,fit=cover,g=c")])
def test_hints_fill_in_what_was_left_open(hinted, recipe, want):
    assert asked(hinted, f"/a/photo/{recipe}/x.auto", sec_ch_width="300", sec_ch_dpr="2") == want
    assert asked(hinted, f"/a/photo/{recipe}/x.jpg", sec_ch_width="300", sec_ch_dpr="2") \
        == asked(hinted, f"/a/photo/{recipe}/x.jpg")


@pytest.mark.parametrize("fields", [{"width": "wide"}, {"width": "-1"}, {"width": "1e2"}, {"sec_ch_width": ""}])
def test_what_is_no_hint_is_ignored(hinted, fields):
    assert asked(hinted, "/a/photo/-/x.auto", **fields) == "g=c"


def test_vary_names_the_hints_that_were_looked_at(hinted):
    cases = [("-", HINTS.format("Width")), ("w=100", HINTS.format("DPR")), ("w=100,dpr=2", "Accept,Save-Data")]
    for recipe, want in cases:
        for fields in ({}, {"sec_ch_width": "300", "sec_ch_dpr": "2"}):
            answer = hinted.head(f"/a/photo/{recipe}/x.auto", **fields)
            assert answer["Vary"] == want, recipe
            again = hinted.get(f"/a/photo/{recipe}/x.auto", if_none_match=answer["ETag"], **fields)
            assert again.status == 304 and again["Vary"] == want, recipe
    assert hinted.head("/a/photo/w=100/x.jpg")["Vary"] is None


def test_browsers_are_told_which_hints_count(hinted):
    assert hinted.head("/a/photo/w=100/x.auto")["Accept-CH"] == "Sec-CH-Width, Sec-CH-DPR, Width, DPR"
    assert hinted.get("/a/photo/w=100/x.auto")["Accept-CH"] == "Sec-CH-Width, Sec-CH-DPR, Width, DPR"
    assert hinted.head("/a/photo/w=100/x.jpg")["Accept-CH"] is None


def test_hints_lead_to_what_a_url_could_ask_for(ladder):
    """Never to a refusal of what is permitted without them."""
    assert asked(ladder, "/a/photo/-/x.auto", width="200") == "w=320,g=c"
    assert ladder.head("/a/photo/-/x.auto").status == 403
    assert asked(ladder, "/a/photo/w=160/x.auto", dpr="1.25") == "w=160,dpr=2,g=c"
    assert asked(ladder, "/a/photo/@card/x.auto", width="200", dpr="2") == "w=400,h=300,dpr=2,fit=cover,g=c"
    refused = ladder.head("/a/photo/w=161/x.auto", dpr="2")
    assert refused.status == 403 and refused["Vary"] == "Sec-CH-DPR,DPR"


def test_hints_stay_within_what_a_token_permits(ladder, services):
    token = services.admin.run("sign", "/a/photo/w=1/x.webp", "--ops=w", "--max=500").strip().split("/")[2]
    assert asked(ladder, f"/s/{token}/photo/w=400/x.auto", dpr="2") == "w=400,g=c"
    token = services.admin.run("sign", "/a/photo/w=1/x.webp", "--ops=w+dpr", "--max=500").strip().split("/")[2]
    assert asked(ladder, f"/s/{token}/photo/w=400/x.auto", dpr="2") == "w=400,g=c"
    assert asked(ladder, f"/s/{token}/photo/w=200/x.auto", dpr="2") == "w=200,dpr=2,g=c"


def test_a_token_for_one_url_is_for_its_size(ladder, services):
    """Thrice the pixels of a small preview may be what the signer keeps for others."""
    path = services.admin.run("sign", "/a/photo/w=100/x.auto").strip()
    answer = ladder.head(path, dpr="3", width="640")

    assert answer.status == 200 and answer["Vary"] == "Accept,Save-Data"
    assert ladder.logged(answer)["recipe"] == "w=100,g=c"
