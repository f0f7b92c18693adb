"""Colour profiles made by hand, so that no test depends on which ones a machine has.

ICC.1:2022 for the layout; only the tags that a colour engine asks for.
"""

import struct
import zlib


def _fixed(value):
    return struct.pack(">i", round(value * 65536))


def _xyz(x, y, z):
    return b"XYZ \0\0\0\0" + _fixed(x) + _fixed(y) + _fixed(z)


def _text(words):
    return b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", 2 * len(words), 28) \
        + words.encode("utf-16-be")


D50 = (0.9642, 1.0, 0.8249)


def _profile(version, device_class, space, connection_space, tags):
    table, body, offset = b"", b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        content += b"\0" * (-len(content) % 4)
        table += name.encode() + struct.pack(">II", offset + len(body), len(content))
        body += content
    header = struct.pack(">I4sI4s4s4s12s4s", offset + len(body), b"\0\0\0\0", version << 24, device_class,
                         space, connection_space, struct.pack(">6H", 2024, 1, 1, 0, 0, 0), b"acsp")
    header += b"\0" * 28 + _fixed(D50[0]) + _fixed(D50[1]) + _fixed(D50[2])
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def matrix_rgb(name, curve):
    """RGB with the primaries of Display P3, adapted to D50, and this curve."""
    return _profile(4, b"mntr", b"RGB ", b"XYZ ", {
        "desc": _text(name), "cprt": _text("none"), "wtpt": _xyz(*D50),
        "rXYZ": _xyz(0.51512, 0.24120, -0.00105), "gXYZ": _xyz(0.29198, 0.69225, 0.04189),
        "bXYZ": _xyz(0.15710, 0.06657, 0.78407), "rTRC": curve, "gTRC": curve, "bTRC": curve})


def display_p3():
    """Display P3: its primaries, and sRGB's curve."""
    return matrix_rgb("Display P3", b"para\0\0\0\0" + struct.pack(">HH", 3, 0)
                      + b"".join(map(_fixed, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))))


def linear_rgb():
    """The same primaries with a gamma of 1: nobody takes its numbers for sRGB's."""
    return matrix_rgb("Linear P3", b"curv\0\0\0\0" + struct.pack(">I", 0))


def linear_grey():
    """Grey with a gamma of 1."""
    curve = b"curv\0\0\0\0" + struct.pack(">I", 0)
    return _profile(4, b"mntr", b"GRAY", b"XYZ ", {
        "desc": _text("Linear grey"), "cprt": _text("none"), "wtpt": _xyz(*D50), "kTRC": curve})


def odd_ink():
    """CMYK whose cyan is printed with green ink: nobody gets it right by accident."""
    inks = [(-60, 50), (75, -5), (-5, 95)]     # a*, b* of a full C, M, Y

    def lab(c, m, y, k):
        lightness = (100 - 25 * c - 45 * m - 8 * y) * (1 - k) + 5 * k
        a, b = (sum(ink[i] * amount for ink, amount in zip(inks, (c, m, y))) * (1 - k) for i in (0, 1))
        return bytes((round(max(0, lightness) * 2.55), round(min(255, max(0, a + 128))),
                      round(min(255, max(0, b + 128)))))

    ramp = bytes(range(256))
    corners = b"".join(lab(c, m, y, k) for c in (0, 1) for m in (0, 1) for y in (0, 1) for k in (0, 1))
    identity = b"".join(map(_fixed, (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    lut = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + identity + ramp * 4 + corners + ramp * 3
    description = b"desc\0\0\0\0" + struct.pack(">I", 8) + b"Odd ink\0" + b"\0" * 78
    return _profile(2, b"prtr", b"CMYK", b"Lab ", {
        "desc": description, "cprt": b"text\0\0\0\0none\0", "wtpt": _xyz(*D50), "A2B0": lut, "A2B1": lut})


def png_chunk(profile):
    """iCCP, for a PNG that PIL cannot write."""
    content = b"iCCPodd\0\0" + zlib.compress(profile)
    return struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
