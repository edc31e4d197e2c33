"""HdrHistogram's V2 compressed encoding, read from its specification.

squall keeps durations in microseconds to three significant digits: 2,048 counters in the first
bucket, so a value below 2,048 is exact and any other is known to one part in 1,024.
"""

import base64
import math
import struct
import zlib

COMPRESSED_V2, PLAIN_V2 = 0x1C849304 | 0x10, 0x1C849303 | 0x10
HALF_BITS = 10                      # three digits: 2,048 counters a bucket, half of them new
RESOLUTION = 1 / (1 << HALF_BITS)


def counts(text):
    """Greatest value of each counter that is not zero, and its count, ascending."""
    if not text:
        return []
    data = base64.b64decode(text)
    cookie, length = struct.unpack(">II", data[:8])
    assert cookie == COMPRESSED_V2, hex(cookie)
    plain = zlib.decompress(data[8:8 + length])
    cookie, length, offset, digits = struct.unpack(">IIII", plain[:16])
    assert (cookie, offset, digits) == (PLAIN_V2, 0, 3), (hex(cookie), offset, digits)
    found, index, at = [], 0, 40
    while at < 40 + length:
        number, at = zig_zag(plain, at)
        if number < 0:
            index -= number
        else:
            if number:
                found.append((highest(index), number))
            index += 1
    return found


def zig_zag(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        at += 1
        if shift == 56:
            # The ninth byte holds eight bits.
            value |= byte << shift
            break
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return (value >> 1) ^ -(value & 1), at


def highest(index):
    """The greatest value that counter `index` stands for."""
    bucket = (index >> HALF_BITS) - 1
    place = (index & ((1 << HALF_BITS) - 1)) + (1 << HALF_BITS)
    if bucket < 0:
        bucket, place = 0, place - (1 << HALF_BITS)
    return (place << bucket) + (1 << bucket) - 1


class Histogram:
    """Cells of a run file, merged."""

    def __init__(self, cells):
        cells = [cell for cell in cells if cell["count"]]
        assert all(cell["unit"] == "us" and not cell["overflow"] for cell in cells)
        self.count = sum(cell["count"] for cell in cells)
        self.min = min((cell["min"] for cell in cells), default=None)
        self.max = max((cell["max"] for cell in cells), default=None)
        self.steps = sorted(step for cell in cells for step in counts(cell["hdr"]))

    def quantile(self, share):
        """The least value that `share` of the samples do not exceed."""
        rank, seen = max(1, math.ceil(share * self.count)), 0
        for value, count in self.steps:
            seen += count
            if seen >= rank:
                return value
        return self.max
